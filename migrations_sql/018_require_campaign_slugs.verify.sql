SELECT attnotnull AS slug_is_required
  FROM pg_attribute
 WHERE attrelid = 'campaigns'::regclass AND attname = 'slug';

SELECT convalidated AS slug_check_is_validated
  FROM pg_constraint
 WHERE conrelid = 'campaigns'::regclass AND conname = 'campaigns_slug_check';
