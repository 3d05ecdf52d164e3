/** Uploads in parts by workers: their places and their ends are given out by the primary. */
import type { PartClaim, PartRequest, UploadClaim, UploadsIndexWriter } from "./contract.ts";
import { answerer, asker, type Channel } from "./ipc-calls.ts";
import type { PartRow, UploadRow } from "./uploads-table.ts";

type Question =
  | { readonly op: "create"; readonly row: Pick<UploadRow, "id" | "ref" | "fields"> }
  | { readonly op: "open-part"; readonly request: PartRequest }
  | { readonly op: "finish-part"; readonly held: number; readonly part: PartRow | undefined }
  | { readonly op: "close"; readonly uploadId: string }
  | { readonly op: "finish"; readonly held: number; readonly outcome: Parameters<UploadClaim["finish"]>[0] };

/** What the primary gives out: the claim's facts, and the number under which it holds the claim. */
type Held<C> = { readonly held: number } & Omit<C, "finish">;

const NAME = "disk-uploads";

/** The worker's end. */
export function ipcUploadsWriter(channel: Channel): UploadsIndexWriter {
  const { ask } = asker<Question>(channel, NAME);
  return {
    async createUpload(row) {
      await ask({ op: "create", row });
    },
    async openPart(request) {
      const { held, ...facts } = (await ask({ op: "open-part", request })) as Held<PartClaim>;
      return {
        ...facts,
        finish: async (part) => (await ask({ op: "finish-part", held, part })) as string | undefined,
      };
    },
    async closeUpload(uploadId) {
      const { held, ...facts } = (await ask({ op: "close", uploadId })) as Held<UploadClaim>;
      return {
        ...facts,
        async finish(outcome) {
          await ask({ op: "finish", held, outcome });
        },
      };
    },
  };
}

/** The primary's end. What a worker that dies has claimed becomes free. */
export function serveUploadsWriter(channel: Channel, writer: UploadsIndexWriter): void {
  const parts = new Map<number, PartClaim>();
  const uploads = new Map<number, UploadClaim>();
  let lastHeld = 0;
  let gone = false;

  async function release(): Promise<void> {
    const ends = [
      ...[...parts.values()].map((claim) => claim.finish(undefined)),
      ...[...uploads.values()].map((claim) => claim.finish("kept")),
    ];
    parts.clear();
    uploads.clear();
    // Nothing is written for these, so nothing can go wrong.
    await Promise.all(ends);
  }

  channel.onClose(() => {
    gone = true;
    void release();
  });

  answerer<Question>(channel, NAME, async (question) => {
    switch (question.op) {
      case "create":
        return writer.createUpload(question.row);
      case "open-part": {
        const claim = await writer.openPart(question.request);
        const held = ++lastHeld;
        parts.set(held, claim);
        if (gone) await release();
        return { held, position: claim.position } satisfies Held<PartClaim>;
      }
      case "finish-part": {
        const claim = parts.get(question.held);
        parts.delete(question.held);
        return claim?.finish(question.part);
      }
      case "close": {
        const claim = await writer.closeUpload(question.uploadId);
        const held = ++lastHeld;
        uploads.set(held, claim);
        if (gone) await release();
        return { held, busy: claim.busy } satisfies Held<UploadClaim>;
      }
      case "finish": {
        const claim = uploads.get(question.held);
        uploads.delete(question.held);
        return claim?.finish(question.outcome);
      }
    }
  });
}
