-- A learner's file as version 0.1.0 wrote it. Never edited: newer programs must open it.
BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'tutor','m001_first','2026-11-22 20:00:00.000000+00:00');
CREATE TABLE attempt_forms (
    attempt_id INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    set_id TEXT NOT NULL, form_id TEXT NOT NULL, predicted REAL NOT NULL,
    PRIMARY KEY (set_id, form_id, attempt_id)) STRICT, WITHOUT ROWID;
INSERT INTO "attempt_forms" VALUES(1,'es-l2','ser-estar',2.68941421369995103951e-01);
INSERT INTO "attempt_forms" VALUES(2,'es-l2','ser-estar',2.34641403505242152061e-01);
INSERT INTO "attempt_forms" VALUES(3,'es-l2','ser-estar',4.29968949734026772979e-01);
CREATE TABLE attempt_tags (
    attempt_id INTEGER NOT NULL REFERENCES attempts (id) ON DELETE CASCADE,
    tag TEXT NOT NULL, PRIMARY KEY (tag, attempt_id)) STRICT, WITHOUT ROWID;
INSERT INTO "attempt_tags" VALUES(1,'ser-estar');
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn_id INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    set_id TEXT NOT NULL, lesson_id TEXT, step_id TEXT, item_id TEXT, kind TEXT NOT NULL,
    words TEXT NOT NULL, correct INTEGER NOT NULL, clean INTEGER NOT NULL, near_miss TEXT,
    given TEXT NOT NULL, hint_level INTEGER NOT NULL,
    attempt_number INTEGER NOT NULL, dialect TEXT, at REAL NOT NULL) STRICT;
INSERT INTO "attempts" VALUES(1,1,1,'es-l2','l1','s1','i1','cloze','["la casa"]',0,0,NULL,'estoy',0,1,NULL,1790000000.0);
INSERT INTO "attempts" VALUES(2,2,1,'es-l2','l1','s1','i1','cloze','["la casa"]',1,1,NULL,'estoy',0,1,NULL,1790000001.0);
INSERT INTO "attempts" VALUES(3,3,1,'es-l2','l1','s1','i1','cloze','["la casa"]',1,1,NULL,'estoy',0,1,NULL,1790000002.0);
CREATE TABLE cards (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('word', 'form', 'recast')),
    scope TEXT NOT NULL, key TEXT NOT NULL, language TEXT NOT NULL, set_id TEXT,
    turn_id INTEGER REFERENCES turns (id) ON DELETE SET NULL,
    gloss TEXT NOT NULL DEFAULT '', sentence TEXT NOT NULL DEFAULT '', source TEXT NOT NULL DEFAULT '',
    stability REAL, difficulty REAL, due_at REAL NOT NULL, last_at REAL, created_at REAL NOT NULL,
    suspended INTEGER NOT NULL DEFAULT 0, UNIQUE (kind, scope, key)) STRICT;
INSERT INTO "cards" VALUES(1,'form','es-l2','ser-estar','es','es-l2',NULL,'','','',2.8420635927589488201e-01,6.39094132352437949151e+00,1790086402.0,1790000002.0,1790000000.0,0);
INSERT INTO "cards" VALUES(2,'recast','es','estás','es','es-l2',3,'','Soy en casa 2','',1.03140650077852308319e-01,8.79272653368481726943e+00,1790086402.0,1790000002.0,1790000000.0,0);
INSERT INTO "cards" VALUES(5,'word','es','la casa','es','es-l2',NULL,'','','',2.3065,2.11121423578539513243e+00,1790172802.0,1790000002.0,1790000001.0,0);
INSERT INTO "cards" VALUES(12,'word','es','mañana','es',NULL,NULL,'tomorrow','','reply',NULL,NULL,1790000000.0,NULL,1790000000.0,0);
CREATE TABLE forms (
    set_id TEXT NOT NULL, form_id TEXT NOT NULL, tried INTEGER NOT NULL, right INTEGER NOT NULL,
    recent_right REAL NOT NULL, recent_wrong REAL NOT NULL, last_at REAL NOT NULL,
    taken INTEGER NOT NULL DEFAULT 0, taken_of INTEGER NOT NULL DEFAULT 0,
    repaired INTEGER NOT NULL DEFAULT 0, repaired_of INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (set_id, form_id)) STRICT, WITHOUT ROWID;
INSERT INTO "forms" VALUES('es-l2','ser-estar',3,2,1.97,9.40900000000000069633e-01,1790000002.0,3,3,1,3);
CREATE TABLE memories (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    text TEXT NOT NULL, language TEXT NOT NULL,
    turn_id INTEGER REFERENCES turns (id) ON DELETE SET NULL, at REAL NOT NULL) STRICT;
INSERT INTO "memories" VALUES(1,'has a sister','es',3,1790000000.0);
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "meta" VALUES('ability:es','0.09064809915821256');
INSERT INTO "meta" VALUES('created_at','1790000000.0');
INSERT INTO "meta" VALUES('name','"Ana"');
INSERT INTO "meta" VALUES('schema','"a1be1bf89660b9b8cc758f6e73bf5944e0785720e7204a392ec31f6762c7ff39"');
CREATE TABLE replies (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    turn_id INTEGER NOT NULL REFERENCES turns (id) ON DELETE CASCADE,
    move TEXT NOT NULL, text TEXT NOT NULL DEFAULT '', folded TEXT NOT NULL DEFAULT '',
    status TEXT NOT NULL DEFAULT 'partial' CHECK (status IN ('partial', 'final', 'stopped')),
    signals TEXT NOT NULL DEFAULT '[]', source TEXT NOT NULL DEFAULT '', hint_level INTEGER NOT NULL DEFAULT 0,
    recast TEXT, uptake INTEGER, repair INTEGER,
    ttft_ms REAL, total_ms REAL, prompt_tokens INTEGER, cached_tokens INTEGER,
    started_at REAL NOT NULL, finished_at REAL) STRICT;
INSERT INTO "replies" VALUES(1,1,'recast','¿Y dónde estás?','¿y donde estas?','final','["ok"]','model',0,'estás',1,0,10.0,20.0,5,4,1790000000.0,1790000000.0);
INSERT INTO "replies" VALUES(2,2,'recast','¿Y dónde estás?','¿y donde estas?','final','["ok"]','model',0,'estás',1,0,10.0,20.0,5,4,1790000001.0,1790000001.0);
INSERT INTO "replies" VALUES(3,3,'recast','¿Y dónde estás?','¿y donde estas?','final','["ok"]','model',0,'estás',1,1,10.0,20.0,5,4,1790000002.0,1790000002.0);
CREATE TABLE reviews (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    card_id INTEGER NOT NULL REFERENCES cards (id) ON DELETE CASCADE,
    attempt_id INTEGER REFERENCES attempts (id) ON DELETE SET NULL,
    rating INTEGER NOT NULL CHECK (rating BETWEEN 1 AND 4),
    elapsed_days REAL, predicted REAL, at REAL NOT NULL) STRICT;
INSERT INTO "reviews" VALUES(1,1,1,1,NULL,NULL,1790000000.0);
INSERT INTO "reviews" VALUES(2,2,NULL,1,NULL,NULL,1790000000.0);
INSERT INTO "reviews" VALUES(3,1,2,3,1.15740740740740734988e-05,9.99991747206914416423e-01,1790000001.0);
INSERT INTO "reviews" VALUES(4,5,2,3,NULL,NULL,1790000001.0);
INSERT INTO "reviews" VALUES(5,2,NULL,1,1.15740740740740734988e-05,9.99991747206914416423e-01,1790000001.0);
INSERT INTO "reviews" VALUES(6,1,3,3,1.15740740740740734988e-05,9.99992907675651632182e-01,1790000002.0);
INSERT INTO "reviews" VALUES(7,5,3,3,1.15740740740740734988e-05,0.999999241430216,1790000002.0);
INSERT INTO "reviews" VALUES(8,2,NULL,3,1.15740740740740734988e-05,9.99979011784486115921e-01,1790000002.0);
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    set_id TEXT NOT NULL, set_version TEXT NOT NULL, lesson_id TEXT,
    mode TEXT NOT NULL CHECK (mode IN ('lesson', 'talk')),
    language TEXT NOT NULL, model TEXT, model_sha256 TEXT, adapters TEXT NOT NULL, seed INTEGER NOT NULL,
    started_at REAL NOT NULL, last_at REAL NOT NULL, ended_at REAL, active_s REAL NOT NULL DEFAULT 0,
    position TEXT NOT NULL DEFAULT '{}', summary TEXT, finished INTEGER NOT NULL DEFAULT 0,
    owner TEXT NOT NULL) STRICT;
INSERT INTO "sessions" VALUES(1,'es-l2','1.0.0','l1','lesson','es',NULL,NULL,'[]',1,1790000000.0,1790000002.0,NULL,2.0,'{"item": "i2"}',NULL,0,'a-machine:1:1');
CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;
INSERT INTO "settings" VALUES('theme','"dark"');
CREATE TABLE turns (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    session_id INTEGER NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    text TEXT NOT NULL, folded TEXT NOT NULL, characters INTEGER NOT NULL, command TEXT, elapsed_s REAL,
    item_id TEXT, asked INTEGER NOT NULL, at REAL NOT NULL) STRICT;
INSERT INTO "turns" VALUES(1,1,'Soy en casa 0','soy en casa 0',13,NULL,4.0,'i1',0,1790000000.0);
INSERT INTO "turns" VALUES(2,1,'Soy en casa 1','soy en casa 1',13,NULL,4.0,'i1',0,1790000001.0);
INSERT INTO "turns" VALUES(3,1,'Soy en casa 2','soy en casa 2',13,NULL,4.0,'i1',0,1790000002.0);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX sessions_open ON sessions (set_id, lesson_id, ended_at);
CREATE INDEX turns_session ON turns (session_id, asked, command);
CREATE INDEX attempts_turn ON attempts (turn_id);
CREATE INDEX attempts_item ON attempts (set_id, lesson_id, item_id, session_id, correct, clean, at);
CREATE INDEX attempts_session ON attempts (session_id, set_id, clean, attempt_number);
CREATE INDEX attempt_forms_attempt ON attempt_forms (attempt_id);
CREATE INDEX attempt_tags_attempt ON attempt_tags (attempt_id);
CREATE INDEX replies_turn ON replies (turn_id, move, status, uptake, repair);
CREATE INDEX cards_turn ON cards (turn_id);
CREATE INDEX cards_due ON cards (suspended, due_at);
CREATE INDEX reviews_card ON reviews (card_id);
CREATE INDEX reviews_at ON reviews (at);
CREATE INDEX reviews_attempt ON reviews (attempt_id);
CREATE INDEX memories_turn ON memories (turn_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('sessions',1);
INSERT INTO "sqlite_sequence" VALUES('turns',3);
INSERT INTO "sqlite_sequence" VALUES('attempts',3);
INSERT INTO "sqlite_sequence" VALUES('cards',12);
INSERT INTO "sqlite_sequence" VALUES('reviews',8);
INSERT INTO "sqlite_sequence" VALUES('replies',3);
INSERT INTO "sqlite_sequence" VALUES('memories',1);
COMMIT;
