/** Where a watch goes on: a position of each node that was followed, as text that clients do not read. */
import type { ChangesPosition } from '../rpc/messages.ts'

/**
 * The positions of nodes, by the beginnings of their ids, and the epoch in which they were taken. Two nodes
 * with one beginning would have different lives, so neither could go on.
 */
export type Place = Readonly<{ epoch: number; positions: ReadonlyMap<string, ChangesPosition> }>

/** So many characters of the id of a node are in a token. */
const ID_LENGTH = 8

/** The name of a node in a place. */
export function nameInPlace(nodeId: string): string {
  return nodeId.slice(0, ID_LENGTH)
}

/** A cluster has at most 14 nodes while it changes. */
const NODES_MAX = 14

/** Longer than any token of a cluster. */
const TOKEN_LENGTH_MAX = 2_048

/** A token, of the letters, digits and signs of base64url. */
export function encodePlace({ epoch, positions }: Place): string {
  const nodes = [...positions].map(([nodeId, { life, number }]) => [nodeId, life, number])
  return Buffer.from(JSON.stringify([1, epoch, ...nodes])).toString('base64url')
}

/** `undefined`: it is not a token of this version. */
export function decodePlace(token: string): Place | undefined {
  if (token.length > TOKEN_LENGTH_MAX) return undefined
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(token, 'base64url').toString())
  } catch {
    return undefined
  }
  if (!Array.isArray(parts) || parts.length > 2 + NODES_MAX) return undefined
  const [version, epoch, ...nodes] = parts
  if (version !== 1 || !isCount(epoch) || !nodes.every(isNode)) return undefined
  return { epoch, positions: new Map(nodes.map(([nodeId, life, number]) => [nodeId, { life, number }])) }
}

function isNode(node: unknown): node is [nodeId: string, life: string, number: number] {
  if (!Array.isArray(node) || node.length !== 3) return false
  const [nodeId, life, number] = node
  return typeof nodeId === 'string' && typeof life === 'string' && life !== '' && isCount(number)
}

function isCount(number: unknown): number is number {
  return typeof number === 'number' && Number.isSafeInteger(number) && number >= 0
}
