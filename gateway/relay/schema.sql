-- Applied at the first start.

-- The relay's state: the token of the next claim, and the process that may use it.
CREATE TABLE IF NOT EXISTS gateway_relay (
    id integer PRIMARY KEY CHECK (id = 1),
    token text NOT NULL,
    leader text NOT NULL DEFAULT '',
    leads_until timestamptz NOT NULL DEFAULT '-infinity'
);

-- Items between their claim and their settle. JSON is text, because jsonb refuses null characters.
CREATE TABLE IF NOT EXISTS gateway_relayed_items (
    id text PRIMARY KEY,
    handler text NOT NULL,
    claim text NOT NULL,
    item text NOT NULL,
    job bigint,
    starts integer NOT NULL DEFAULT 0,
    result text,
    renewed_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX IF NOT EXISTS gateway_relayed_items_renewed ON gateway_relayed_items (renewed_at);
CREATE INDEX IF NOT EXISTS gateway_relayed_items_result ON gateway_relayed_items (id)
    WHERE result IS NOT NULL;

-- Running workers: the relay claims only what they have handlers for.
CREATE TABLE IF NOT EXISTS gateway_workers (
    name text PRIMARY KEY,
    handlers jsonb NOT NULL,
    seen_at timestamptz NOT NULL DEFAULT now()
);

INSERT INTO gateway_relay (id, token) VALUES (1, md5(random()::text)) ON CONFLICT DO NOTHING;
