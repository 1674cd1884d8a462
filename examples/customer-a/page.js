export const page = (greeting) => `<!doctype html><title>customer-a</title><h1>${greeting}</h1>\n`;
