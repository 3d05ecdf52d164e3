/** The thread's end of `worker-thread.ts`. Node 20 starts no thread from TypeScript, so `*.thread.js` files are JavaScript. */
import { parentPort } from "node:worker_threads";

/**
 * Answers each request with a value or an error. A request with the id 0 gets no answer.
 *
 * @param {(request: any) => unknown} handle
 */
export function answerRequests(handle) {
  parentPort?.on("message", ({ id, request }) => {
    /** @type {{ value?: unknown, error?: { code: unknown, message: string } }} */
    let answer;
    try {
      answer = { value: handle(request) };
    } catch (error) {
      const { code, message } = /** @type {NodeJS.ErrnoException} */ (error);
      answer = { error: { code, message } };
    }
    if (id !== 0) parentPort?.postMessage({ id, ...answer });
  });
}
