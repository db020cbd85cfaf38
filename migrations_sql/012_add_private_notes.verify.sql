SELECT relrowsecurity AS has_row_security, NOT relforcerowsecurity AS owner_sees_everything
  FROM pg_class
 WHERE oid = 'campaign_notes'::regclass;

SELECT count(*) = 2 AS policies_exist
  FROM pg_policy
 WHERE polrelid = 'campaign_notes'::regclass;
