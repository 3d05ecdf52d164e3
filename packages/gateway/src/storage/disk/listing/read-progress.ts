/** Reports to the operator why a first listing takes long. */
import type { FolderPart } from "./file-thread.ts";

/** The progress of reading a bucket's folders. */
export interface ReadProgress {
  readonly bucket: string;
  /** File names read so far. */
  readonly names: number;
  /** Folders read so far. */
  readonly folders: number;
  /** Seconds since it began. */
  readonly seconds: number;
  /** Whether all of them are read. */
  readonly ended: boolean;
}

const INTERVAL_MS = 2000;
/** A listing requests folders in turns. A pause of this length is the end. */
const PAUSE_MS = 500;

interface Activity {
  began: number;
  reported: number;
  names: number;
  folders: number;
  announced: boolean;
  pause: NodeJS.Timeout | undefined;
}

/** Counts parts of folders. Reports reading that takes longer than two seconds: every two seconds, and at the end. */
export function readProgress(
  report: (progress: ReadProgress) => void,
): (bucket: string, parts: readonly FolderPart[]) => void {
  const activities = new Map<string, Activity>();

  function send(bucket: string, { began, names, folders, ended }: Activity & { readonly ended: boolean }): void {
    const seconds = Math.round((performance.now() - began - (ended ? PAUSE_MS : 0)) / 1000);
    report({ bucket, names, folders, seconds, ended });
  }

  return (bucket, parts) => {
    const now = performance.now();
    const fresh: Activity = { began: now, reported: now, names: 0, folders: 0, announced: false, pause: undefined };
    const activity = activities.get(bucket) ?? fresh;
    activities.set(bucket, activity);
    for (const part of parts) {
      activity.names += part.files.length;
      if (part.ended !== undefined) activity.folders += 1;
    }
    clearTimeout(activity.pause);
    activity.pause = setTimeout(() => {
      activities.delete(bucket);
      if (activity.announced) send(bucket, { ...activity, ended: true });
    }, PAUSE_MS).unref();
    if (now - activity.reported < INTERVAL_MS) return;
    activity.reported = now;
    activity.announced = true;
    send(bucket, { ...activity, ended: false });
  };
}
