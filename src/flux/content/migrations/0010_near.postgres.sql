-- The vectors once more, as pgvector measures them, where the extension is there and may be used; elsewhere the server
-- measures the packed ones. Vectors from before have none: they are measured by the server too.

DO $near$
BEGIN
    IF EXISTS (SELECT 1 FROM pg_available_extensions WHERE name = 'vector') THEN
        CREATE EXTENSION IF NOT EXISTS vector;
        ALTER TABLE content_vectors ADD COLUMN near vector;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'pgvector may not be used here';
END
$near$;
