DROP MATERIALIZED VIEW campaign_statistics;
