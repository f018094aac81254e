-- Nothing to do: PostgreSQL keeps a row for each word of each document, as before.

SELECT 1;
