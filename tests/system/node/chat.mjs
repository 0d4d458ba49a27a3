// Asks for chat completions as a client library does, and prints what came of it as one JSON line.
//   node chat.mjs BASE_URL CLIENT SCENARIO
// CLIENT: openai, ai-sdk, langchain.

import { ask, base, quick, scenario, weather } from './ask.mjs';

async function withOpenai() {
  const { default: OpenAI } = await import('openai');
  const openai = new OpenAI({ baseURL: base, apiKey: 'unused', maxRetries: 0 });
  const messages = [{ role: 'user', content: '안녕하세요' }];
  const tools = [{ type: 'function', function: { name: 'weather', ...weather } }];
  const scenarios = {
    async plain() {
      const answer = await openai.chat.completions.create({ model: quick, messages });
      return { text: answer.choices[0].message.content, usage: answer.usage, id: answer.id };
    },
    async stream() {
      const stream = await openai.chat.completions.create(
        { model: quick, messages, stream: true, stream_options: { include_usage: true } });
      let text = '';
      let chunks = 0;
      let usage = null;
      for await (const chunk of stream) {
        ++chunks;
        text += chunk.choices[0]?.delta?.content ?? '';
        usage = chunk.usage ?? usage;
      }
      return { text, chunks, usage };
    },
    async tools() {
      const runner = openai.chat.completions.runTools({
        model: `${quick}-tool`,
        messages,
        stream: true,
        tools: [{
          type: 'function',
          function: { name: 'weather', ...weather, parse: JSON.parse,
            function: ({ city, days }) => `${days} days of rain in ${city}` },
        }],
      });
      const text = await runner.finalContent();
      const roles = runner.messages.map((message) => message.role);
      return { text, roles, call: runner.messages[1].tool_calls[0].function };
    },
    async error() {
      return openai.chat.completions.create({ model: quick, messages, n: 2 });
    },
    async leave() {
      const stream = await openai.chat.completions.create(
        { model: 'sim-5ms-2000tok-20gap', messages, stream: true });
      let chunks = 0;
      for await (const chunk of stream) {
        if (++chunks === 5) break;
        void chunk;
      }
      return { chunks };
    },
    async models() {
      const ids = [];
      for await (const model of openai.models.list()) ids.push(model.id);
      return { ids, one: await openai.models.retrieve(ids[0]) };
    },
    async wholeTools() {
      const answer = await openai.chat.completions.create(
        { model: `${quick}-tool2`, messages, tools, tool_choice: 'required' });
      return { calls: answer.choices[0].message.tool_calls,
        reason: answer.choices[0].finish_reason };
    },
  };
  return scenarios[scenario]();
}

async function withAiSdk() {
  const { createOpenAICompatible } = await import('@ai-sdk/openai-compatible');
  const { generateText, jsonSchema, streamText, tool } = await import('ai');
  const provider = createOpenAICompatible({ name: 'millrace', baseURL: base, includeUsage: true });
  const scenarios = {
    async plain() {
      const { text, usage } =
        await generateText({ model: provider(quick), prompt: '안녕하세요', maxRetries: 0 });
      return { text, usage };
    },
    async stream() {
      const result = streamText({ model: provider(quick), prompt: '안녕하세요', maxRetries: 0 });
      let text = '';
      let chunks = 0;
      for await (const piece of result.textStream) {
        ++chunks;
        text += piece;
      }
      return { text, chunks, usage: await result.usage };
    },
    async tools() {
      const result = streamText({
        model: provider(`${quick}-tool`),
        prompt: '안녕하세요',
        maxRetries: 0,
        tools: { weather: tool({ description: weather.description,
          inputSchema: jsonSchema(weather.parameters) }) },
      });
      await result.consumeStream();
      const [call] = await result.toolCalls;
      return { call: { name: call.toolName, input: call.input },
        reason: await result.finishReason };
    },
    async error() {
      return generateText({ model: provider('sim-400'), prompt: 'x', maxRetries: 0 });
    },
  };
  return scenarios[scenario]();
}

async function withLangchain() {
  const { ChatOpenAI } = await import('@langchain/openai');
  const model = (name) => new ChatOpenAI({ model: name, apiKey: 'unused', maxRetries: 0,
    configuration: { baseURL: base } });
  const scenarios = {
    async plain() {
      const answer = await model(quick).invoke('안녕하세요');
      return { text: answer.content, usage: answer.usage_metadata };
    },
    async stream() {
      let text = '';
      let chunks = 0;
      for await (const chunk of await model(quick).stream('안녕하세요')) {
        ++chunks;
        text += chunk.content;
      }
      return { text, chunks };
    },
    async tools() {
      const bound = model(`${quick}-tool`).bindTools(
        [{ type: 'function', function: { name: 'weather', ...weather } }]);
      const answer = await bound.invoke('안녕하세요');
      const [call] = answer.tool_calls;
      return { call: { name: call.name, input: call.args },
        reason: answer.response_metadata.finish_reason };
    },
    async error() {
      return model('sim-400').invoke('x');
    },
  };
  return scenarios[scenario]();
}

await ask({ openai: withOpenai, 'ai-sdk': withAiSdk, langchain: withLangchain });
