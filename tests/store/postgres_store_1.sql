INSERT INTO ci_meta(name, value) VALUES('schema', '1'), ('incarnation', '00112233445566778899aabbccddeeff'), ('cluster', '1/2/3');
INSERT INTO ci_record(kind, id, version, data) VALUES('thing', 'a', 2, '\x00ff'), ('thing', '张', 1, ''), ('transaction', 't1', 1, '{"id":"t1","account_id":"a1","amount":{"minor":990,"currency":"CNY"}}');
INSERT INTO ci_key(kind, name, value, id, uniq) VALUES('thing', 'ext', 'x', 'a', 1), ('thing', 'tag', 't', 'a', 0);
INSERT INTO ci_outbox(xid, seq, type, subject, data) VALUES('751', 1, 'thing.changed', 'a', '{}');
INSERT INTO ci_transaction(id, account_id, kind, status, amount_minor, amount_currency) VALUES('t1', 'a1', 'payment', 'posted', 990, 'CNY');
