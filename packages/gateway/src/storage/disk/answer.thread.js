/** The thread's end of `worker-thread.ts`. Node 20 starts no thread from TypeScript, so `*.thread.js` files are JavaScript. */
import { parentPort } from "node:worker_threads";

/**
 * Answers each request of `caller` with a value or an error. A request with the id 0 gets no answer.
 *
 * @param {(request: any) => unknown} handle
 */
export function answerRequests(handle) {
  parentPort?.on("message", ({ id, request }) => {
    /** @type {{ value?: unknown, error?: { code: string, message: string, cause: string } }} */
    let answer;
    try {
      answer = { value: handle(request) };
    } catch (error) {
      const { code, message: cause } = /** @type {NodeJS.ErrnoException} */ (error);
      const message = `a thread of the storage failed${code === undefined ? "" : ` (${code})`}`;
      answer = { error: { code: "UNAVAILABLE", message, cause } };
    }
    if (id !== 0) parentPort?.postMessage({ daypass: "answer", id, ...answer });
  });
}
