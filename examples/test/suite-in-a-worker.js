import { run } from "./suite.js";

// biome-ignore lint/style/noDefaultExport: a Worker is its module's default export
export default { fetch: async () => Response.json(await run()) };
