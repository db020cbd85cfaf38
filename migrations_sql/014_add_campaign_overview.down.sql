DROP VIEW campaign_overview;
