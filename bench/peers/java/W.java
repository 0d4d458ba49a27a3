// java W TOPIC GROUP core|reactor CONC earliest|latest : Confluent Parallel Consumer, KEY ordering
import io.confluent.parallelconsumer.*; import io.confluent.parallelconsumer.reactor.*;
import org.apache.kafka.clients.consumer.*; import com.fasterxml.jackson.databind.*;
import java.net.URI; import java.net.http.*; import java.util.*; import java.util.concurrent.*; import reactor.core.publisher.Mono;
public class W {
  static final ObjectMapper M = new ObjectMapper();
  static final HttpClient HC = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
  static HttpRequest rq(String raw) throws Exception { JsonNode j = M.readTree(raw);
    var b = M.createObjectNode(); b.set("model", j.get("model")); b.set("messages", j.get("input"));
    return HttpRequest.newBuilder(URI.create(System.getenv("LLM_URL") + "/v1/chat/completions")).header("Content-Type", "application/json")
      .POST(HttpRequest.BodyPublishers.ofString(M.writeValueAsString(b))).build(); }
  static void chk(HttpResponse<String> r) { try { if (r.statusCode() != 200 || M.readTree(r.body()).get("choices").size() == 0) throw new RuntimeException("bad " + r.statusCode()); } catch (Exception e) { throw new RuntimeException(e); } }
  public static void main(String[] a) throws Exception {
    Properties p = new Properties(); p.put("bootstrap.servers", System.getenv("KAFKA_BROKERS")); p.put("group.id", a[1]); p.put("enable.auto.commit", "false"); p.put("auto.offset.reset", a[4]);
    p.put("key.deserializer", "org.apache.kafka.common.serialization.StringDeserializer"); p.put("value.deserializer", "org.apache.kafka.common.serialization.StringDeserializer");
    var c = new KafkaConsumer<String, String>(p);
    var o = ParallelConsumerOptions.<String, String>builder().ordering(ParallelConsumerOptions.ProcessingOrder.KEY).maxConcurrency(Integer.parseInt(a[3])).consumer(c).build();
    if (a[2].equals("core")) { var pc = ParallelStreamProcessor.createEosStreamProcessor(o); pc.subscribe(List.of(a[0]));
      pc.poll(ctx -> { try { chk(HC.send(rq(ctx.getSingleConsumerRecord().value()), HttpResponse.BodyHandlers.ofString())); } catch (Exception e) { throw new RuntimeException(e); } });
    } else { var pc = new ReactorProcessor<String, String>(o); pc.subscribe(List.of(a[0]));
      pc.react(ctx -> { try { var q = rq(ctx.getSingleConsumerRecord().value()); return Mono.fromFuture(() -> HC.sendAsync(q, HttpResponse.BodyHandlers.ofString()).thenApply(r -> { chk(r); return 1; })); } catch (Exception e) { return Mono.error(e); } }); }
    Thread.currentThread().join();
  } }
