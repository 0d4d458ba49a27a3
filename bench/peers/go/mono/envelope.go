package mono

import (
	"fmt"
	"time"
)

const pad = "The quick brown fox jumps over the lazy dog; please summarise the quarterly numbers by region and explain the two largest changes in plain words."

// Envelope is a millrace job whose user message begins with `@session/seq/enqueued-ns@`, which
// the fake model reads back: every peer and millrace send the same bytes.
func Envelope(n int, session string, seq int, model string) []byte {
	now := time.Now().UTC()
	stamp := func(t time.Time) string { return t.Format("2006-01-02T15:04:05.000Z") }
	return []byte(fmt.Sprintf(`{"v":1,"id":"%08x-0000-7000-8000-%012x","kind":"chat","tenant":"default","session":"%s","input":[{"role":"system","content":"You are a helpful assistant."},{"role":"user","content":"@%s/%d/%d@ %s"}],"model":"%s","params":{"max_tokens":64},"priority":"interactive","created_at":"%s","deadline":"%s","on_busy":"enqueue"}`,
		uint32(now.Unix()), now.Nanosecond()/1000*1000000+n%1000000, session, session, seq, Now(), pad, model, stamp(now), stamp(now.Add(24*time.Hour))))
}
