// Asks for responses as a client library does, and prints what came of it as one JSON line.
//   node responses.mjs BASE_URL CLIENT SCENARIO
// CLIENT: openai, ai-sdk, langchain.

import { ask, base, quick, scenario, weather } from './ask.mjs';

const slow = 'sim-5ms-60tok-20gap';
const input = '안녕하세요';

async function withOpenai() {
  const { default: OpenAI } = await import('openai');
  const openai = new OpenAI({ baseURL: base, apiKey: 'unused', maxRetries: 0 });
  const scenarios = {
    async plain() {
      const answer = await openai.responses.create({ model: quick, input });
      const again = await openai.responses.retrieve(answer.id);
      return { text: answer.output_text, usage: answer.usage,
        same: JSON.stringify(answer) === JSON.stringify(again) };
    },
    async stream() {
      const stream = openai.responses.stream({ model: quick, input });
      let chunks = 0;
      stream.on('response.output_text.delta', () => ++chunks);
      const final = await stream.finalResponse();
      return { text: final.output_text, chunks };
    },
    async resume() {
      const first = await openai.responses.create(
        { model: slow, input, background: true, stream: true });
      const seen = [];
      for await (const event of first) {
        seen.push(event);
        if (seen.length === 12) break;
      }
      const rest = await openai.responses.retrieve(seen[0].response.id,
        { stream: true, starting_after: seen.at(-1).sequence_number });
      for await (const event of rest) seen.push(event);
      const words = seen.filter((event) => event.type === 'response.output_text.delta')
        .map((event) => event.delta).join('');
      return { text: words, whole: seen.at(-1).response.output[0].content[0].text,
        numbers: seen.every((event, place) => event.sequence_number === place) };
    },
    async tools() {
      const tools = [{ type: 'function', name: 'weather', strict: true, ...weather }];
      const model = `${quick}-tool`;
      const first = await openai.responses.create({ model, input, tools });
      const call = first.output.find((item) => item.type === 'function_call');
      const answer = await openai.responses.create({ model, tools, previous_response_id: first.id,
        input: [{ type: 'function_call_output', call_id: call.call_id, output: '비' }] });
      return { call: { name: call.name, input: JSON.parse(call.arguments) },
        text: answer.output_text };
    },
    async manage() {
      const running = await openai.responses.create({ model: slow, input, background: true });
      const cancelled = await openai.responses.cancel(running.id);
      const again = await openai.responses.cancel(running.id);
      const items = [];
      for await (const item of openai.responses.inputItems.list(running.id)) items.push(item);
      await openai.responses.delete(running.id);
      const gone = await openai.responses.retrieve(running.id).catch((error) => error.status);
      return { statuses: [running.status, cancelled.status, again.status],
        item: items[0].content[0].text, gone };
    },
    async error() {
      return openai.responses.create({ model: quick, input, conversation: 'conv_1' });
    },
  };
  return scenarios[scenario]();
}

async function withAiSdk() {
  const { createOpenAI } = await import('@ai-sdk/openai');
  const { generateText, jsonSchema, stepCountIs, streamText, tool } = await import('ai');
  const provider = createOpenAI({ baseURL: base, apiKey: 'unused' });
  const asked = (name) => ({ model: provider.responses(name), prompt: input, maxRetries: 0 });
  const tools = { weather: tool({ description: weather.description,
    inputSchema: jsonSchema(weather.parameters), execute: async () => '비가 온다' }) };
  const scenarios = {
    async plain() {
      const { text, usage } = await generateText(asked(quick));
      return { text, usage };
    },
    async stream() {
      const result = streamText(asked(quick));
      let text = '';
      let chunks = 0;
      for await (const piece of result.textStream) {
        ++chunks;
        text += piece;
      }
      return { text, chunks };
    },
    // Its second request names what came of the first by `item_reference`.
    async tools() {
      const result = await generateText(
        { ...asked(`${quick}-tool`), tools, stopWhen: stepCountIs(3) });
      const [call] = result.steps[0].toolCalls;
      return { call: { name: call.toolName, input: call.input }, text: result.text };
    },
    async error() {
      return generateText(asked('sim-400'));
    },
  };
  return scenarios[scenario]();
}

async function withLangchain() {
  const { ChatOpenAI } = await import('@langchain/openai');
  const { HumanMessage, ToolMessage } = await import('@langchain/core/messages');
  const model = (name) => new ChatOpenAI({ model: name, apiKey: 'unused', maxRetries: 0,
    useResponsesApi: true, configuration: { baseURL: base } });
  const words = (message) => (typeof message.content === 'string' ? message.content
    : message.content.map((part) => part.text ?? '').join(''));
  const scenarios = {
    async plain() {
      const answer = await model(quick).invoke(input);
      return { text: words(answer), usage: answer.usage_metadata };
    },
    async stream() {
      let text = '';
      let chunks = 0;
      for await (const chunk of await model(quick).stream(input)) {
        ++chunks;
        text += words(chunk);
      }
      return { text, chunks };
    },
    async tools() {
      const bound = model(`${quick}-tool`).bindTools(
        [{ type: 'function', function: { name: 'weather', ...weather } }]);
      const question = new HumanMessage(input);
      const first = await bound.invoke([question]);
      const [call] = first.tool_calls;
      const answer = await bound.invoke(
        [question, first, new ToolMessage({ tool_call_id: call.id, content: '비' })]);
      return { call: { name: call.name, input: call.args }, text: words(answer) };
    },
    async error() {
      return model('sim-400').invoke('x');
    },
  };
  return scenarios[scenario]();
}

await ask({ openai: withOpenai, 'ai-sdk': withAiSdk, langchain: withLangchain });
