// ingress: POST /jobs -> validate -> Kafka (acks=all, idempotent), Asynq or SQLite -> 202 after ack.
package main

import (
	"encoding/json"
	"flag"
	"io"
	"net/http"
	"time"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/twmb/franz-go/pkg/kgo"
	"peers/mono"
)

type msg struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}
type job struct {
	JobID     string `json:"job_id,omitempty"`
	SessionID string `json:"session_id"`
	Kind      string `json:"kind"`
	Model     string `json:"model"`
	Messages  []msg  `json:"messages"`
	MaxTokens int    `json:"max_tokens"`
	Stream    bool   `json:"stream"`
}

func valid(j *job) bool {
	if j.SessionID == "" || len(j.SessionID) > 128 || (j.Kind != "chat" && j.Kind != "analysis") || j.Model == "" || len(j.Messages) == 0 || j.MaxTokens < 0 || j.MaxTokens > 8192 {
		return false
	}
	for _, m := range j.Messages {
		if (m.Role != "user" && m.Role != "system" && m.Role != "assistant") || m.Content == "" {
			return false
		}
	}
	return true
}

func main() {
	addr := flag.String("addr", "127.0.0.1:29082", "")
	to := flag.String("to", "kafka", "kafka|asynq|sqlite|none")
	linger := flag.Duration("linger", 0, "")
	topic := flag.String("topic", "peers.ingress", "")
	file := flag.String("file", "jobs.db", "of sqlite")
	flag.Parse()
	var cl *kgo.Client
	var aq *asynq.Client
	var rows *sqliteJobs
	if *to == "kafka" {
		var err error
		cl, err = kgo.NewClient(kgo.SeedBrokers(mono.Env("KAFKA_BROKERS", "127.0.0.1:9092")), kgo.DefaultProduceTopic(*topic), kgo.RequiredAcks(kgo.AllISRAcks()), kgo.ProducerLinger(*linger), kgo.ProducerBatchCompression(kgo.NoCompression()), kgo.MaxBufferedRecords(100000))
		if err != nil {
			panic(err)
		}
	} else if *to == "sqlite" {
		rows = openSQLite(*file)
	} else if *to == "asynq" {
		aq = asynq.NewClient(asynq.RedisClientOpt{Addr: mono.Env("REDIS_ADDR", "127.0.0.1:6379"), PoolSize: 64})
	}
	http.HandleFunc("POST /jobs", func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		var j job
		if err != nil || json.Unmarshal(b, &j) != nil || !valid(&j) {
			http.Error(w, `{"error":"invalid"}`, 422)
			return
		}
		j.JobID = uuid.NewString()
		out, _ := json.Marshal(&j)
		switch *to {
		case "kafka":
			if err := cl.ProduceSync(r.Context(), &kgo.Record{Key: []byte(j.SessionID), Value: out}).FirstErr(); err != nil {
				http.Error(w, `{"error":"queue"}`, 503)
				return
			}
		case "sqlite":
			if err := rows.add(j.JobID, j.SessionID, out); err != nil {
				http.Error(w, `{"error":"queue"}`, 503)
				return
			}
		case "asynq":
			if _, err := aq.Enqueue(asynq.NewTask("ingress", out), asynq.TaskID(j.JobID), asynq.Queue("ingress"), asynq.Timeout(time.Minute)); err != nil {
				http.Error(w, `{"error":"queue"}`, 503)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(202)
		io.WriteString(w, `{"job_id":"`+j.JobID+`","status":"queued"}`)
	})
	panic(http.ListenAndServe(*addr, nil))
}
