-- Figures for the page "our campaigns", refreshed every night:
--
--     REFRESH MATERIALIZED VIEW CONCURRENTLY campaign_statistics;
--
-- A materialized view has no CREATE OR REPLACE, so it is dropped and made anew whenever this text changes; both happen
-- in one transaction, and readers never see it missing.

DROP MATERIALIZED VIEW IF EXISTS campaign_statistics;

CREATE MATERIALIZED VIEW campaign_statistics AS
SELECT campaigns.id AS campaign_id,
       (SELECT count(*) FROM characters WHERE characters.campaign_id = campaigns.id) AS characters,
       (SELECT count(*) FROM quests WHERE quests.campaign_id = campaigns.id AND quests.state = 'completed')
           AS quests_completed,
       played.sessions AS sessions_played,
       played.hours AS hours_played,
       played.last_at AS last_played_at
  FROM campaigns
 CROSS JOIN LATERAL (
       SELECT count(*) AS sessions,
              coalesce(round(sum(extract(epoch FROM ends_at - starts_at)) / 3600, 1), 0) AS hours,
              max(ends_at) AS last_at
         FROM sessions
        WHERE sessions.campaign_id = campaigns.id AND sessions.state = 'played'
       ) AS played;

COMMENT ON MATERIALIZED VIEW campaign_statistics IS 'Figures per campaign, as of the last refresh.';

-- REFRESH ... CONCURRENTLY asks for a unique index over all rows.
CREATE UNIQUE INDEX campaign_statistics_campaign_id_key ON campaign_statistics (campaign_id);
