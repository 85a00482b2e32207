/** Token ids that look like nothing: no two streams share a prefix. */
export const promptIds = (count, salt, vocab) =>
  Array.from({ length: count }, (_, i) => (i * 7919 + salt * 104729 + 13) % (vocab - 16))
