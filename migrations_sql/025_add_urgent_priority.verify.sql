SELECT array_agg(enumlabel::text ORDER BY enumsortorder) = ARRAY['low', 'normal', 'high', 'urgent'] AS order_is_right
  FROM pg_enum
 WHERE enumtypid = 'quest_priority'::regtype;
