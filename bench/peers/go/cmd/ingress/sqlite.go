package main

import (
	"database/sql"

	_ "github.com/mattn/go-sqlite3"
)

// sqliteJobs commits what arrives while the last commit was being synced as one transaction.
type sqliteJobs struct{ rows chan row }

type row struct {
	id, session string
	body        []byte
	committed   chan error
}

func openSQLite(file string) *sqliteJobs {
	db, err := sql.Open("sqlite3", "file:"+file+"?_journal_mode=WAL&_synchronous=FULL&_txlock=immediate")
	if err != nil {
		panic(err)
	}
	db.SetMaxOpenConns(1)
	if _, err := db.Exec(`CREATE TABLE jobs(id TEXT PRIMARY KEY, session TEXT, body BLOB)`); err != nil {
		panic(err)
	}
	jobs := &sqliteJobs{make(chan row, 1024)}
	go jobs.write(db)
	return jobs
}

func (s *sqliteJobs) add(id, session string, body []byte) error {
	r := row{id, session, body, make(chan error, 1)}
	s.rows <- r
	return <-r.committed
}

func (s *sqliteJobs) write(db *sql.DB) {
	for first := range s.rows {
		batch := []row{first}
		for more := true; more && len(batch) < 1024; {
			select {
			case r := <-s.rows:
				batch = append(batch, r)
			default:
				more = false
			}
		}
		err := commit(db, batch)
		for _, r := range batch {
			r.committed <- err
		}
	}
}

func commit(db *sql.DB, batch []row) error {
	tx, err := db.Begin()
	if err != nil {
		return err
	}
	defer tx.Rollback()
	insert, err := tx.Prepare(`INSERT INTO jobs VALUES(?,?,?)`)
	if err != nil {
		return err
	}
	defer insert.Close()
	for _, r := range batch {
		if _, err := insert.Exec(r.id, r.session, r.body); err != nil {
			return err
		}
	}
	return tx.Commit()
}
