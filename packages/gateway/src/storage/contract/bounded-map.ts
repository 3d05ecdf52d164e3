/** A map that forgets its oldest entry when it is full. */
export type BoundedMap<V> = Pick<Map<string, V>, "get" | "delete"> & { set(key: string, value: V): void };

/** @param capacity entries at most */
export function boundedMap<V>(capacity: number): BoundedMap<V> {
  const map = new Map<string, V>();
  return {
    get: (key) => map.get(key),
    delete: (key) => map.delete(key),
    set(key, value) {
      map.delete(key);
      map.set(key, value);
      const [oldest] = map.keys();
      if (map.size > capacity && oldest !== undefined) map.delete(oldest);
    },
  };
}
