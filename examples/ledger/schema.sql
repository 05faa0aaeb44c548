-- Applied at the first start.

-- Customers have a stored balance, which is never negative. The shop's own accounts have none:
-- a purchase would lock their rows, and all purchases would wait for each other.
CREATE TABLE accounts (
    name text PRIMARY KEY,
    balance bigint CHECK (balance >= 0)
);

CREATE TABLE transfers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    key text NOT NULL UNIQUE,
    reason text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE entries (
    transfer bigint NOT NULL REFERENCES transfers,
    account text NOT NULL REFERENCES accounts,
    amount bigint NOT NULL CHECK (amount <> 0),
    PRIMARY KEY (transfer, account)
);
CREATE INDEX entries_account ON entries (account);

CREATE FUNCTION require_balanced_transfer() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (SELECT sum(amount) FROM entries WHERE transfer = NEW.transfer) <> 0 THEN
        RAISE EXCEPTION 'the entries of transfer % do not add up to 0', NEW.transfer;
    END IF;
    RETURN NULL;
END $$;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: post another transfer';
END $$;

-- Checked at the commit, when all entries of the transfer are there.
CREATE CONSTRAINT TRIGGER balanced AFTER INSERT ON entries
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION require_balanced_transfer();

CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
