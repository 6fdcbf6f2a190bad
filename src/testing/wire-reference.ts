/**
 * For tests: messages of `node.proto` as protobufjs's reflection writes them, with which the codecs are
 * compared.
 */
import assert from 'node:assert/strict'
import { fileURLToPath } from 'node:url'
import { crc32 } from 'node:zlib'
import protobuf from 'protobufjs'
import { isDamage } from '../register/damage.ts'
import type { KeyRecord, Reply } from '../register/messages.ts'
import type { State } from '../register/state.ts'
import type { KeyedRequest } from '../rpc/messages.ts'

const schema = protobuf.loadSync(fileURLToPath(new URL('../../proto/cohort/v1/node.proto', import.meta.url)))

/** The bytes that protobufjs makes of a message of the contract, given in the names of node.proto. */
export function reference(type: string, message: object): Buffer {
  const known = schema.lookupType(`cohort.v1.${type}`)
  assert.equal(known.verify(message), null)
  return Buffer.from(known.encode(known.create({ ...message })).finish())
}

function wireState({ generation, lineage, value }: State): object {
  return { ...optional({ value }), ...(generation === 0 ? {} : { generation }), lineage }
}

/** The same for a message that no node sends: nothing is checked. */
export function rawMessage(type: string, message: object): Buffer {
  const known = schema.lookupType(`cohort.v1.${type}`)
  return Buffer.from(known.encode(known.fromObject(message)).finish())
}

/** The checksum of a state, as an unsigned integer, and computed in another way than the codec does. */
function wireChecksum(key: string, state: State): number {
  const bytes = reference('State', wireState(state))
  return crc32(Buffer.concat([Buffer.from(key), bytes]))
}

/** A record of a key in the names of node.proto. `omitState`: the answer says `same_state` instead. */
export function wireRecord(
  key: string,
  { promised, accepted, state, chosen, isStub }: KeyRecord,
  omitState = false,
): object {
  const isSent = state.generation > 0 && !omitState
  return {
    promised: wirePair(promised),
    ...(accepted === undefined ? {} : { accepted: wirePair(accepted) }),
    ...(isSent ? { state: wireState(state) } : {}),
    ...(chosen ? { chosen } : {}),
    ...(isStub ? { isStub } : {}),
    ...(isSent ? { stateChecksum: wireChecksum(key, state) } : {}),
  }
}

/** proto3 leaves zeros out, protobufjs writes whatever is set. */
function wirePair<T extends object>(pair: T): object {
  return Object.fromEntries(Object.entries(pair).filter(([, value]) => value !== 0))
}

/** A request in the names of node.proto. */
export function wireRequest({ key, request }: KeyedRequest): object {
  const { kind, ...parts } = request
  const fields = {
    ...('ballot' in parts ? { ballot: wirePair(parts.ballot) } : {}),
    ...('state' in parts ? { state: wireState(parts.state) } : {}),
    ...('next' in parts ? { next: wirePair(parts.next) } : {}),
    ...('state' in parts && parts.state.generation > 0
      ? { stateChecksum: wireChecksum(key, parts.state) }
      : {}),
    ...('writeId' in parts ? { writeId: wirePair(parts.writeId) } : {}),
    ...('promised' in parts ? { promised: wirePair(parts.promised) } : {}),
  }
  return { key, [kind]: fields }
}

/** Without the fields that are not set: protobufjs does not accept those. */
export function optional<T extends object>(fields: T): object {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
}

/** An answer in the names of node.proto: a state that the request carried is not sent back. */
export function wireAnswer({ key, request }: KeyedRequest, reply: Reply): object {
  if (isDamage(reply)) return { damage: wirePair(reply) }
  const { ok, record } = reply
  const isSame =
    'state' in request &&
    record.state.generation > 0 &&
    record.state.writeId.sequence === request.state.writeId.sequence &&
    record.state.writeId.proposerId === request.state.writeId.proposerId
  return {
    ...(ok ? { ok } : {}),
    record: wireRecord(key, record, isSame),
    ...(isSame ? { sameState: true } : {}),
  }
}
