-- The partitions go with their parent.
DROP TABLE dice_rolls;
