// A provider without a network: it answers from a table.
const SAID = { France: 'Paris', Italy: 'It is Milan', Peru: 'Lima', Kenya: 'I do not know.' };
module.exports = class {
  constructor(options) { this.name = options.config.name; }
  id() { return this.name; }
  async callApi(prompt, context) {
    const country = context.vars.country;
    if (country === 'Chad') return { error: 'API error: 500 Internal Server Error' };
    const output = this.name === 'echo/shouting' ? (SAID[country] || '').toUpperCase() : SAID[country];
    return { output, tokenUsage: { total: 15, prompt: 12, completion: 3 }, cost: 0.0003 };
  }
};
