-- Whether anybody has ever reacted to a message: only of those does a page of history ask for the reactions.

ALTER TABLE community_messages ADD COLUMN reacted INTEGER NOT NULL DEFAULT 0;
UPDATE community_messages SET reacted = 1 WHERE id IN (SELECT message_id FROM community_reactions);
