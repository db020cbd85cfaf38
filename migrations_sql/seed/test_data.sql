-- sqlmigrations: requires 028_replace_username_with_email.sql, repeatable/campaign_statistics.sql
--
-- A small world to try things out in. For development only: a run in production refuses it for lack of the tag.
--
-- The keys are fixed, so that it can be run again and so that tests can name a row. Rows that are there already stay as
-- somebody may have changed them.

INSERT INTO users (id, display_name, email, properties) VALUES
    ('10000000-0000-4000-8000-000000000001', 'Mira', 'mira@example.com', '{"theme": "dark", "pronouns": "she/her"}'),
    ('10000000-0000-4000-8000-000000000002', 'Tobias', 'tobias@example.com', '{"theme": "light"}'),
    ('10000000-0000-4000-8000-000000000003', 'Zoë', 'zoe@example.com', '{"dice": {"colour": "green"}}'),
    ('10000000-0000-4000-8000-000000000004', 'Kwame', 'kwame@example.com', '{}')
ON CONFLICT DO NOTHING;

INSERT INTO campaigns (id, game_master_id, state, name, slug, description, properties) VALUES
    ('20000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000001', 'active',
     'Curse of the Amber Keep', 'curse-of-the-amber-keep',
     'A castle that nobody remembers building.', '{"house_rules": ["critical fumbles"], "max_players": 4}'),
    ('20000000-0000-4000-8000-000000000002', '10000000-0000-4000-8000-000000000002', 'planned',
     'Salt and Lanterns', 'salt-and-lanterns',
     'Smugglers, fog, and a lighthouse that answers.', '{"max_players": 5}'),
    ('20000000-0000-4000-8000-000000000003', '10000000-0000-4000-8000-000000000001', 'completed',
     'The Clockmaker''s Daughter', 'the-clockmakers-daughter',
     'Three evenings in a city that stops at midnight.', '{}')
ON CONFLICT DO NOTHING;

INSERT INTO characters (id, campaign_id, player_id, level, name, description, properties) VALUES
    ('30000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001',
     '10000000-0000-4000-8000-000000000002', 5, 'Baldric Thorn', 'A knight without a lord.',
     '{"class": "fighter", "strength": 17}'),
    ('30000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001',
     '10000000-0000-4000-8000-000000000003', 5, 'Ysolde', 'Reads what is written under other writing.',
     '{"class": "wizard", "spells": ["light", "shield"]}'),
    ('30000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001',
     '10000000-0000-4000-8000-000000000004', 4, 'Nine-Fingers', 'Lost one, kept the purse.', '{"class": "rogue"}'),
    ('30000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000001',
     NULL, 12, 'The Amber Lady', 'She is in every window.', '{"secret": true}')
ON CONFLICT DO NOTHING;

INSERT INTO character_connections (id, source_id, target_id, kind, description) VALUES
    ('40000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001',
     '30000000-0000-4000-8000-000000000002', 'ally', 'Met in the cellar of the Broken Crown.'),
    ('40000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000003',
     '30000000-0000-4000-8000-000000000001', 'debtor', 'Forty gold pieces and a horse.'),
    ('40000000-0000-4000-8000-000000000003', '30000000-0000-4000-8000-000000000004',
     '30000000-0000-4000-8000-000000000002', 'family', 'Neither of them knows yet.')
ON CONFLICT DO NOTHING;

INSERT INTO sessions (id, campaign_id, number, state, starts_at, ends_at, summary) VALUES
    ('50000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', 1, 'played',
     '2026-09-04 18:00:00+00', '2026-09-04 22:00:00+00', 'The party takes shelter and can''t find the door again.'),
    ('50000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001', 2, 'played',
     '2026-09-18 18:00:00+00', '2026-09-18 21:30:00+00', 'A dinner for twelve, of whom three are alive.'),
    ('50000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001', 3, 'cancelled',
     '2026-10-02 18:00:00+00', '2026-10-02 22:00:00+00', ''),
    ('50000000-0000-4000-8000-000000000004', '20000000-0000-4000-8000-000000000001', 4, 'planned',
     '2036-10-03 18:00:00+00', '2036-10-03 22:00:00+00', '')
ON CONFLICT DO NOTHING;

INSERT INTO session_attendance (session_id, character_id) VALUES
    ('50000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000001'),
    ('50000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000002'),
    ('50000000-0000-4000-8000-000000000001', '30000000-0000-4000-8000-000000000003'),
    ('50000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000001'),
    ('50000000-0000-4000-8000-000000000002', '30000000-0000-4000-8000-000000000002')
ON CONFLICT DO NOTHING;

INSERT INTO quests (id, campaign_id, giver_id, state, priority, completed_at, reward_gold, title, description) VALUES
    ('60000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001', NULL,
     'completed', 'high', '2026-09-18 20:15:00+00', 0, 'Find a way out', 'Every door leads back to the hall.'),
    ('60000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001',
     '30000000-0000-4000-8000-000000000004',
     'active', 'urgent', NULL, 500, 'Wind the great clock', 'Before it strikes thirteen.'),
    ('60000000-0000-4000-8000-000000000003', '20000000-0000-4000-8000-000000000001',
     '30000000-0000-4000-8000-000000000003',
     'open', 'low', NULL, 40, 'The missing horse', 'It was last seen in a painting.')
ON CONFLICT DO NOTHING;

INSERT INTO campaign_notes (id, campaign_id, author_id, is_private, body) VALUES
    ('70000000-0000-4000-8000-000000000001', '20000000-0000-4000-8000-000000000001',
     '10000000-0000-4000-8000-000000000001', true, 'The Amber Lady is Ysolde''s grandmother. Reveal at the clock.'),
    ('70000000-0000-4000-8000-000000000002', '20000000-0000-4000-8000-000000000001',
     '10000000-0000-4000-8000-000000000003', false, 'The number of windows is not the same from outside.')
ON CONFLICT DO NOTHING;

INSERT INTO dice_rolls (id, session_id, character_id, rolled_at, sides, modifier, results) VALUES
    ('80000000-0000-4000-8000-000000000001', '50000000-0000-4000-8000-000000000001',
     '30000000-0000-4000-8000-000000000001', '2026-09-04 19:12:00+00', 20, 3, '{17}'),
    ('80000000-0000-4000-8000-000000000002', '50000000-0000-4000-8000-000000000001',
     '30000000-0000-4000-8000-000000000003', '2026-09-04 19:14:00+00', 20, 5, '{1}'),
    ('80000000-0000-4000-8000-000000000003', '50000000-0000-4000-8000-000000000002',
     '30000000-0000-4000-8000-000000000002', '2026-09-18 20:40:00+00', 6, 0, '{4,6,2}')
ON CONFLICT DO NOTHING;

REFRESH MATERIALIZED VIEW campaign_statistics;
