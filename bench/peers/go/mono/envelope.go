package mono

import (
	"fmt"
	"time"
)

const pad = "The quick brown fox jumps over the lazy dog; please summarise the quarterly numbers by region and explain the two largest changes in plain words."

// input is the messages of a job. The user's begins with `@session/seq/enqueued-ns@`, which the
// fake model reads back.
func input(session string, seq int) string {
	return fmt.Sprintf(`[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"@%s/%d/%d@ %s"}]`, session, seq, Now(), pad)
}

// Envelope is a millrace job: every peer and millrace are sent the same bytes.
func Envelope(n int, session string, seq int, model string) []byte {
	now := time.Now().UTC()
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
	return []byte(fmt.Sprintf(`{"v":1,"id":"%08x-0000-7000-8000-%012x","kind":"chat","tenant":"default","session":"%s","input":%s,"model":"%s","params":{"max_tokens":64},"priority":"interactive","created_at":"%s","deadline":"%s","on_busy":"enqueue"}`,
		uint32(now.Unix()), now.Nanosecond()/1000*1000000+n%1000000, session, input(session, seq), model, stamp(now), stamp(now.Add(24*time.Hour))))
}

// Post is the request that an edge makes such an envelope of.
func Post(session string, seq int, model string) []byte {
	return []byte(fmt.Sprintf(`{"session":"%s","input":%s,"model":"%s","max_tokens":64}`, session, input(session, seq), model))
}
