-- A refresh token and all that it was exchanged for are one family, named after the first. When one of them is used a second
-- time, somebody else has it: then none of the family is good any more. Tokens from before are families of their own.

ALTER TABLE content_refresh_tokens ADD COLUMN family {{text}} NOT NULL DEFAULT '';
UPDATE content_refresh_tokens SET family = jti;
ALTER TABLE content_refresh_tokens ADD COLUMN used_at {{bigint}};
CREATE INDEX content_refresh_tokens_family ON content_refresh_tokens (family);
