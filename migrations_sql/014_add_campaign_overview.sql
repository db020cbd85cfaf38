-- What the start page shows of a campaign, in one row.
--
-- A view of this folder and not of repeatable/: other programs read it, so its columns are a promise. Whoever changes
-- them writes a file with a way back, instead of editing this one.

CREATE VIEW campaign_overview AS
SELECT campaigns.id AS campaign_id,
       campaigns.name,
       campaigns.state,
       users.display_name AS game_master,
       (SELECT count(*) FROM characters WHERE characters.campaign_id = campaigns.id) AS characters,
       (SELECT count(*) FROM quests WHERE quests.campaign_id = campaigns.id AND quests.state = 'active')
           AS active_quests,
       (SELECT min(sessions.starts_at)
          FROM sessions
         WHERE sessions.campaign_id = campaigns.id
           AND sessions.state = 'planned'
           AND sessions.starts_at >= CURRENT_TIMESTAMP) AS next_session_at
  FROM campaigns
  JOIN users ON users.id = campaigns.game_master_id;

COMMENT ON VIEW campaign_overview IS 'One row per campaign: who leads it, how much is going on, when it goes on.';
