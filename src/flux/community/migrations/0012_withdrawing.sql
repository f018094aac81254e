-- When everything that an account has said is deleted, and how much of it there was when its owner asked for that.

ALTER TABLE community_users ADD COLUMN withdrawal_at {{bigint}};
ALTER TABLE community_users ADD COLUMN withdrawal_channels INTEGER NOT NULL DEFAULT 0;
ALTER TABLE community_users ADD COLUMN withdrawal_messages INTEGER NOT NULL DEFAULT 0;
