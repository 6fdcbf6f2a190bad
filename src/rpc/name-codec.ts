/** Reads the names in messages: nodes, clusters, addresses and keys. */
import { NAME_LENGTH_MAX } from './limits.ts'
import { type Reader, readString, refuse, skip } from './wire.ts'

/**
 * The longest key, in UTF-16 units. It is many times longer than an id of 256 characters with its namespace.
 */
const KEY_LENGTH_MAX = 4096

const NAMESPACES = ['group/', 'cluster/']

/** Reads the id of a node or a cluster, or an address. */
export function readName(reader: Reader): string {
  const name = readString(reader)
  if (name.length > NAME_LENGTH_MAX) refuse(`a name is longer than ${NAME_LENGTH_MAX}`)
  return name
}

/**
 * Reads the key of a message, which is its field 1, before the rest: the rest cannot be read without it. The
 * key is the first field, unless another program has written it elsewhere. `''`: there is none.
 */
export function readKeyAhead(reader: Reader): string {
  const start = reader.pos
  while (reader.pos < reader.len) {
    const fieldAt = reader.pos
    const tag = reader.uint32()
    if (tag !== KEY_TAG) skip(reader, tag)
    else {
      const key = readKey(reader)
      if (fieldAt !== start) reader.pos = start
      return key
    }
  }
  reader.pos = start
  return ''
}

const KEY_TAG = 10

/** Reads a key: it is in a namespace, and has no NUL. */
export function readKey(reader: Reader): string {
  const key = readString(reader)
  if (key.length > KEY_LENGTH_MAX) refuse(`a key is longer than ${KEY_LENGTH_MAX}`)
  if (!NAMESPACES.some((namespace) => key.startsWith(namespace))) {
    refuse(`the key '${key}' is in none of the namespaces ${NAMESPACES.join(', ')}`)
  }
  // The tools of SQLite end a text at a NUL.
  if (key.includes('\0')) refuse('a key has a NUL character')
  return key
}
