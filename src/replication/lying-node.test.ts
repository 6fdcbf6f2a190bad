/**
 * Three nodes on real sockets, one of which lies in every way that the wire allows. With the other two, all
 * outcomes must be correct.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { status } from '@grpc/grpc-js'
import fc from 'fast-check'
import protobuf from 'protobufjs'
import { systemClock } from '../process/clock.ts'
import { EMPTY_RECORD } from '../register/acceptor.ts'
import { PROPOSER_ID_MAX, ROUND_MAX } from '../register/ballot.ts'
import type { Answer, Reply, Request } from '../register/messages.ts'
import type { KeyFault } from '../register/operation.ts'
import { quorumsOf } from '../register/quorum.ts'
import { RULES } from '../register/rules.ts'
import { GENERATION_MAX } from '../register/state.ts'
import { encodeAnswerBatch } from '../rpc/batch-codec.ts'
import { connectGrpc } from '../rpc/grpc-transport.ts'
import type { RequestBatch } from '../rpc/messages.ts'
import { type BatchTurn, LyingNode } from '../testing/lying-node.ts'
import { wholeAnswer } from '../testing/whole.ts'
import { rawMessage } from '../testing/wire-reference.ts'
import { LINK_LIMITS } from './links/link-limits.ts'
import { NodeLink } from './links/node-link.ts'
import { RegisterClient } from './register-client.ts'
import { VIEW_CACHE_BYTES_MAX } from './view-cache.ts'

const TIMEOUT_MS = 3_000
/** Short pauses between streams, so that a node can lie many times in a second. */
const LIMITS = { ...LINK_LIMITS, reopenMs: 5, malformedReopenMsMax: 20 }

async function aCluster(t: TestContext) {
  const nodes = await Promise.all(['n0', 'n1', 'n2'].map((nodeId) => LyingNode.start(t, nodeId)))
  const malformed: string[] = []
  const onMalformed = (_address: string, reason: string) => malformed.push(reason)
  const transports = nodes.map(({ address }) => connectGrpc(address, { onMalformed }))
  const faults: string[] = []
  let proposerId = 1_000
  const client = new RegisterClient(
    {
      drawProposerId: () => (proposerId += 1),
      quorums: quorumsOf(3),
      rules: RULES,
      clock: systemClock,
      random: Math.random,
      operationTimeoutMs: TIMEOUT_MS,
      viewCacheBytesMax: VIEW_CACHE_BYTES_MAX,
      viewAgeMsMax: 60_000,
      onKeyFault: (key: string, fault: KeyFault) => faults.push(`${fault} ${key}`),
    },
    (index, onChange) =>
      new NodeLink({
        transport: () => transports[index]!,
        nodeId: `n${index}`,
        membership: undefined,
        clock: systemClock,
        limits: LIMITS,
        onChange,
        onMismatch: () => {},
      }),
  )
  t.after(() => {
    client.close()
    for (const transport of transports) transport.close()
  })
  const cluster = { nodes, client, malformed, faults, liar: nodes[2]! }
  await allReachable(cluster)
  return cluster
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += 5) {
    assert.ok(waitedMs < 5_000, what)
    await pause(5)
  }
}

function allReachable({ client }: Pick<Awaited<ReturnType<typeof aCluster>>, 'client'>): Promise<void> {
  return until(() => client.links.every(({ isReachable }) => isReachable), 'all nodes can be used')
}

const append = (text: string) => (value: Uint8Array | undefined) => {
  const next = (value === undefined ? '' : Buffer.from(value).toString()) + text
  return { kind: 'propose', value: Buffer.from(next), result: next } as const
}
const textOf = (value: Uint8Array | undefined) =>
  value === undefined ? undefined : Buffer.from(value).toString()

let keyCount = 0

/** Keys that no test has used. */
function newKeys(count: number): string[] {
  return Array.from({ length: count }, () => {
    keyCount += 1
    return `group/${keyCount}`
  })
}

/** Writes and reads some keys while a node lies, and asserts that every outcome is right. */
async function useKeys({ client }: Awaited<ReturnType<typeof aCluster>>, count = 4): Promise<void> {
  const keys = newKeys(count)
  const results = (outcomes: readonly Readonly<{ kind: string }>[]) =>
    outcomes.map((outcome) => ('result' in outcome ? outcome.result : outcome.kind))
  for (const [text, expected] of [
    ['a', 'a'],
    ['b', 'ab'],
  ] as const) {
    const written = await Promise.all(keys.map((key) => client.submit(key, append(text))))
    assert.deepEqual(results(written), Array(count).fill(expected))
  }
  const read = await Promise.all(keys.map((key) => client.read(key, textOf)))
  assert.deepEqual(results(read), Array(count).fill('ab'))
}

/** An answer in the names of node.proto, encoded without checks. */
function anAnswer(batch: RequestBatch, record: object, ok = true): Uint8Array {
  const answers = batch.requests.filter(({ request }) => request.kind !== 'mark').map(() => ({ ok, record }))
  return rawMessage('AnswerBatch', { batchId: batch.batchId, answers })
}

function bytesOf(right: BatchTurn['right'], { requests }: RequestBatch): Buffer {
  return encodeAnswerBatch(right, requests)
}

function mismatchOf({ batchId }: RequestBatch, mismatch: object): Uint8Array {
  return rawMessage('AnswerBatch', { batchId, mismatch })
}

/** The requests that get an answer. */
function answered({ requests }: RequestBatch): RequestBatch['requests'] {
  return requests.filter(({ request }) => request.kind !== 'mark')
}

/** All fields of an answer as numbers. */
function varintFields(batchId: number): Uint8Array {
  return new protobuf.Writer().uint32(8).uint32(batchId).uint32(16).uint32(7).uint32(24).uint32(7).finish()
}

function halfOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, Math.ceil(bytes.length / 2))
}

const BALLOT = { round: 5, proposerId: 3 }
const OWN = [{ proposerId: 3, sequence: 1 }]
const FULL = Array.from({ length: 16 }, (_, index) => ({ proposerId: 3, sequence: index + 1 }))
const STATE = { generation: 1, lineage: OWN, value: Buffer.from('lie') }
const VOTE = { promised: { round: 6 }, accepted: BALLOT, state: STATE }

/** Records that no node has. The stream of a node that sends one ends. */
const MALFORMED_RECORDS: [string, object][] = [
  ['none', {}],
  ['a promise without a round number', { promised: { proposerId: 3 } }],
  ['a promise of an owner that cannot be', { promised: { round: 2, proposerId: PROPOSER_ID_MAX + 1 } }],
  ['a vote above the promise', { ...VOTE, promised: { round: 5 } }],
  ['a state without a vote', { promised: { round: 6 }, state: STATE }],
  ['a chosen state without a vote', { promised: { round: 6 }, chosen: true }],
  ['a stub with a vote', { ...VOTE, isStub: true }],
  ['a state with gaps in its lineage', { ...VOTE, state: { ...STATE, generation: 9 } }],
  ['a state without a lineage', { ...VOTE, state: { ...STATE, lineage: [] } }],
  [
    'a lineage that is too long',
    { ...VOTE, state: { ...STATE, generation: 17, lineage: [...FULL, ...OWN] } },
  ],
  ['a write id that is half empty', { ...VOTE, state: { ...STATE, lineage: [{ proposerId: 3 }] } }],
  ['a value of an absent state', { ...VOTE, state: { value: Buffer.from('lie') } }],
  ['a value that is too large', { ...VOTE, state: { ...STATE, value: Buffer.alloc(1024 * 1024 + 1) } }],
  ['a generation above 2^53', { ...VOTE, state: { ...STATE, generation: 2 ** 60, lineage: FULL } }],
]

/** Messages that do not answer the batch. The stream of a node that sends one ends. */
const MALFORMED: [string, (turn: BatchTurn) => void][] = [
  ...MALFORMED_RECORDS.map(([what, record]): [string, (turn: BatchTurn) => void] => [
    `a record: ${what}`,
    ({ batch, send }) => send(anAnswer(batch, record)),
  ]),
  ['nothing', ({ send }) => send(new Uint8Array(0))],
  ['no batch id', ({ send }) => send(rawMessage('AnswerBatch', { answers: [] }))],
  [
    'a batch that was never sent',
    ({ batch, right, send }) => send(bytesOf({ ...right, batchId: 999 }, batch)),
  ],
  [
    'the batch before',
    ({ batch, right, send }) => send(bytesOf({ ...right, batchId: batch.batchId - 1 }, batch)),
  ],
  [
    'too few answers',
    ({ batch, right, send }) => send(bytesOf({ ...right, answers: right.answers.slice(1) }, batch)),
  ],
  [
    'too many answers',
    ({ batch, right, send }) =>
      send(
        Buffer.concat([bytesOf(right, batch), rawMessage('AnswerBatch', { answers: [{ record: VOTE }] })]),
      ),
  ],
  [
    'an answer twice',
    ({ sendRight }) => {
      sendRight()
      sendRight()
    },
  ],
  [
    'answers and a mismatch',
    ({ batch, right, send }) =>
      send(Buffer.concat([bytesOf(right, batch), rawMessage('AnswerBatch', { mismatch: { nodeId: 'x' } })])),
  ],
  ['a mismatch without a node', ({ batch, send }) => send(mismatchOf(batch, {}))],
  ...[
    ['no member', { members: [] }],
    [
      'eight members',
      { members: Array.from({ length: 8 }, (_, i) => ({ nodeId: `m${i}`, address: 'h:1' })) },
    ],
    ['a member twice', { members: [1, 2].map(() => ({ nodeId: 'm', address: 'h:1' })) }],
    ['an address of a socket in the file system', { members: [{ nodeId: 'm', address: 'unix:/tmp/x' }] }],
    ['an empty address', { members: [{ nodeId: 'm', address: '' }] }],
    ['no epoch', { epoch: 0 }],
    ['an endless epoch', { epoch: 2 ** 53 - 1 }],
    ['no grace time', { tombstoneGraceMs: 0 }],
    ['a grace time of centuries', { tombstoneGraceMs: 2 ** 52 }],
  ].map(([what, fields]): [string, (turn: BatchTurn) => void] => {
    const members = [{ nodeId: 'm', address: 'h:1' }]
    const membership = {
      clusterId: 'c',
      epoch: 3,
      members,
      tombstoneGraceMs: 3_600_000,
      ...(fields as object),
    }
    return [
      `a membership with ${what}`,
      ({ batch, send }) => send(mismatchOf(batch, { nodeId: 'x', membership })),
    ]
  }),
  ['text where numbers belong', ({ send }) => send(Buffer.from('\x0a\x05hello\x12\x05world'))],
  ['an answer of the wrong type', ({ batch, send }) => send(varintFields(batch.batchId))],
  ['an endless number', ({ send }) => send(Buffer.from([8, ...Array(12).fill(0xff)]))],
  ['a part that is longer than the message', ({ send }) => send(Buffer.from([8, 1, 18, 0x7f, 1]))],
  ['a group that never ends', ({ batch, send }) => send(Buffer.from([8, batch.batchId, 27, 27, 27]))],
  ['half of the right answer', ({ batch, right, send }) => send(halfOf(bytesOf(right, batch)))],
  [
    'a state that the request did not carry',
    ({ batch, send }) =>
      send(
        rawMessage('AnswerBatch', {
          batchId: batch.batchId,
          answers: answered(batch).map(() => ({ ok: true, record: VOTE, sameState: true })),
        }),
      ),
  ],
  [
    'an ok that its record contradicts',
    ({ batch, send }) => send(anAnswer(batch, { promised: { round: 4 } })),
  ],
  ['more bytes than a message has', ({ send }) => send(Buffer.alloc(17 * 1024 * 1024))],
]

for (const [what, exchange] of MALFORMED) {
  test(`a node that sends a malformed answer loses its stream and no more: ${what}`, async (t) => {
    const cluster = await aCluster(t)
    const { liar, malformed, client } = cluster
    liar.lie = { exchange }
    await useKeys(cluster)
    if (what !== 'more bytes than a message has') await until(() => malformed.length > 0, 'it is reported')
    liar.lie = {}
    // A lie that is still on its way may end another stream, so the first rounds may lose one.
    const lossesOfARound = async () => {
      await allReachable(cluster)
      const before = client.links[2]!.lossCount
      await useKeys(cluster)
      return client.links[2]!.lossCount - before
    }
    let losses = await lossesOfARound()
    for (let round = 1; losses > 0 && round < 5; round += 1) losses = await lossesOfARound()
    assert.equal(losses, 0, 'nothing is lost any more')
  })
}

test('answers out of the order of their batches end the stream: they once ended the process', async (t) => {
  const cluster = await aCluster(t)
  const held: (() => void)[] = []
  cluster.liar.lie = {
    everyBatch: ({ sendRight }) => {
      held.push(sendRight)
      // The second of two that are in flight.
      if (held.length > 1) held.pop()!()
    },
  }
  const first = useKeys(cluster, 8)
  await pause(20)
  await Promise.all([first, useKeys(cluster, 8), useKeys(cluster, 16)])
  await until(() => cluster.malformed.some((reason) => /before batch/.test(reason)), 'it is reported')
  cluster.liar.lie = {}
  await allReachable(cluster)
})

test('an answer before any request ends the stream', async (t) => {
  const cluster = await aCluster(t)
  cluster.liar.lie = { open: (send) => send(rawMessage('AnswerBatch', { batchId: 1 })) }
  await useKeys(cluster)
})

test('bits that flip anywhere in the answers of a node end nothing but its streams', async (t) => {
  const cluster = await aCluster(t)
  const { liar } = cluster
  let random = 12_345
  const next = (below: number) => {
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31
    return random % below
  }
  let flipped = 0
  liar.lie = {
    exchange: ({ batch, right, send }) => {
      const bytes = bytesOf(right, batch)
      // Values are opaque bytes to the register: a flip in one of them is for a checksum to see.
      const at = next(bytes.length)
      bytes[at] = bytes[at]! ^ (1 << next(8))
      flipped += 1
      send(bytes)
    },
  }
  while (flipped < 100) {
    await allReachable(cluster)
    const outcomes = await Promise.all(
      newKeys(3).flatMap((key) => [
        cluster.client.submit(key, append('a')),
        cluster.client.read(key, textOf),
      ]),
    )
    assert.equal(outcomes.length, 6)
  }
  liar.lie = {}
  await allReachable(cluster)
  await useKeys(cluster)
})

test('any bytes at all end nothing but the stream', async (t) => {
  const cluster = await aCluster(t)
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 40 }), fc.boolean(), async (bytes, hasBatchId) => {
      cluster.liar.lie = {
        exchange: ({ batch, send }) =>
          send(hasBatchId ? Buffer.concat([Buffer.from([8, batch.batchId]), bytes]) : bytes),
      }
      await useKeys(cluster, 1)
    }),
    { numRuns: 60, seed: 7, endOnFailure: true },
  )
})

const ENDINGS: [string, (turn: BatchTurn) => void][] = [
  ...Object.values(status)
    .filter((code): code is number => typeof code === 'number')
    .map((code): [string, (turn: BatchTurn) => void] => [
      `status ${status[code]}`,
      ({ end }) => end(code, 'a reason that\nhas two lines, and \u{1f98a}'),
    ]),
  [
    'half of an answer, then the end',
    ({ batch, right, send, end }) => {
      send(halfOf(bytesOf(right, batch)))
      end()
    },
  ],
  [
    'the right answer, then the end',
    ({ sendRight, end }) => {
      sendRight()
      end()
    },
  ],
  ['silence', () => {}],
]

for (const [what, exchange] of ENDINGS) {
  test(`a node that ends its streams loses them and no more: ${what}`, async (t) => {
    const cluster = await aCluster(t)
    cluster.liar.lie = { exchange }
    await useKeys(cluster)
    cluster.liar.lie = {}
    await allReachable(cluster)
    await useKeys(cluster)
  })
}

/** Answers that are valid, but not true. */
const PLAUSIBLE: [string, (answer: Answer, request: Request) => Reply][] = [
  ['refuses everything', ({ record }) => ({ ok: false, record })],
  [
    'has promised the highest round number',
    ({ record }) => ({ ok: false, record: { ...record, promised: { round: ROUND_MAX, proposerId: 1 } } }),
  ],
  [
    'has promised nearly the highest round number',
    ({ record }) => ({ ok: false, record: { ...record, promised: { round: ROUND_MAX - 2, proposerId: 1 } } }),
  ],
  [
    'has promised a round number that no node takes',
    ({ record }) => ({ ok: false, record: { ...record, promised: { round: 2 ** 53 - 1, proposerId: 1 } } }),
  ],
  [
    'has a generation that no node takes',
    ({ ok, record }) =>
      record.accepted === undefined
        ? { ok, record }
        : {
            ok: false,
            record: { ...record, state: { ...record.state, generation: GENERATION_MAX + 1, lineage: FULL } },
          },
  ],
  ['has forgotten everything', () => ({ ok: false, record: EMPTY_RECORD })],
  ['says that every record is damaged', () => ({ promiseBound: 500 })],
  ['has a stub for everything', () => ({ ok: false, record: { ...EMPTY_RECORD, isStub: true } })],
]

for (const [what, lie] of PLAUSIBLE) {
  test(`with one node that ${what}, outcomes are right, and no key of the others is worse for it`, async (t) => {
    const cluster = await aCluster(t)
    const { liar, nodes, faults } = cluster
    liar.lie = {
      exchange: ({ batch, right, send }) => {
        const requests = answered(batch)
        send(
          encodeAnswerBatch(
            {
              ...right,
              answers: right.answers.map((answer, index) =>
                lie(wholeAnswer(answer), requests[index]!.request),
              ),
            },
            batch.requests,
          ),
        )
      },
    }
    await useKeys(cluster)
    assert.deepEqual(faults, [])
    for (const { records } of nodes.slice(0, 2)) {
      for (const { promised } of records.values()) assert.ok(promised.round < 1_000, `${promised.round}`)
    }
    liar.lie = {}
    await allReachable(cluster)
    await useKeys(cluster)
  })
}
