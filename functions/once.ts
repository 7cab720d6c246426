/**
 * Loads something when it is first asked for, and gives the same to all who ask. A load that failed is forgotten: the process may have had
 * too many files open for a moment (EMFILE), and whoever asks next tries again.
 */
export function once<Loaded>(load: () => Promise<Loaded>): () => Promise<Loaded> {
  let loading: Promise<Loaded> | undefined;
  return () => {
    loading ??= load().catch((error: unknown) => {
      loading = undefined;
      throw error;
    });
    return loading;
  };
}
