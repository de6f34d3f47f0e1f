-- By these an event is found by its id: the SDK's window and number, or the sender's own id.
CREATE INDEX event_window ON heliograph.event (window_id, n) WHERE window_id IS NOT NULL;
CREATE INDEX event_message ON heliograph.event (message_id) WHERE message_id IS NOT NULL;

-- A replay is judged like the original: by the same user agent.
ALTER TABLE heliograph.rejected_event ADD COLUMN user_agent text;
