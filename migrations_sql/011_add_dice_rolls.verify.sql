-- No year overlaps another (PostgreSQL sees to that), a default is there, and every partition has every index.

SELECT count(*) = 1 AS has_default_partition
  FROM pg_partitioned_table
 WHERE partrelid = 'dice_rolls'::regclass AND partdefid <> 0;

SELECT inhrelid::regclass AS partition_name,
       (SELECT count(*) FROM pg_index WHERE indrelid = inhrelid AND indisvalid)
           = (SELECT count(*) FROM pg_index WHERE indrelid = inhparent) AS has_all_indexes
  FROM pg_inherits
 WHERE inhparent = 'dice_rolls'::regclass;
