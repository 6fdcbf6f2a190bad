import { readFile } from 'node:fs/promises'

/** For `key`: the key in a file, which is read before each request, so that the file may be replaced. */
export function keyFrom(path: string): () => Promise<string> {
  return async () => (await readFile(path, 'utf8')).trim()
}
