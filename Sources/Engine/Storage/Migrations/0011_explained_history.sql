-- Why a score was what it was: the model that scored it and the five largest parts of the score; with a
-- change of profile the one before and the five largest parts of the new one. Null in rows from before.
ALTER TABLE heliograph.score_history
    ADD COLUMN model text,
    ADD COLUMN terms jsonb,
    ADD COLUMN profile_before text,
    ADD COLUMN profile_terms jsonb;

-- Where each partition stood when that began: the history before it is not compared with the journal,
-- for it has no points for sessions that ended.
CREATE TABLE heliograph.explained_since (
    partition smallint PRIMARY KEY,
    "offset" bigint NOT NULL
);

INSERT INTO heliograph.explained_since SELECT partition, "offset" FROM heliograph.position;
