-- What a member shows of their account's look in one guild: 1 no avatar, 2 no banner.

ALTER TABLE community_guild_members ADD COLUMN profile_flags INTEGER;
