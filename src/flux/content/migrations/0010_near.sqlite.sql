-- Nothing to do: sqlite-vec measures the packed vectors as they are.

SELECT 1;
