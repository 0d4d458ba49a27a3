// What the scripts of this folder that ask as a client library does have in common.
//   node SCRIPT BASE_URL CLIENT SCENARIO

export const [base, client, scenario] = process.argv.slice(2);

export const quick = 'sim-5ms-12tok-1gap';

/// A function for models to call.
export const weather = {
  description: 'The weather of a place',
  parameters: {
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'integer' } },
    required: ['city', 'days'],
    additionalProperties: false,
  },
};

/// Asks as CLIENT and prints what came of it as one JSON line. A failure is {"failed": …} with the
/// library's own words.
export async function ask(clients) {
  let result;
  try {
    result = await clients[client]();
  } catch (error) {
    result = { failed: error.message, name: error.constructor.name,
      status: error.status ?? error.statusCode, param: error.param, code: error.code };
  }
  console.log(JSON.stringify(result));
}
