-- Take the small world away again. What else was put into its campaigns goes with them. If one of its people has come to
-- lead another campaign, nothing is taken away, and PostgreSQL names the constraint.

DELETE FROM campaigns
 WHERE id IN (
       '20000000-0000-4000-8000-000000000001',
       '20000000-0000-4000-8000-000000000002',
       '20000000-0000-4000-8000-000000000003'
       );

DELETE FROM users
 WHERE id IN (
       '10000000-0000-4000-8000-000000000001',
       '10000000-0000-4000-8000-000000000002',
       '10000000-0000-4000-8000-000000000003',
       '10000000-0000-4000-8000-000000000004'
       );

REFRESH MATERIALIZED VIEW campaign_statistics;
