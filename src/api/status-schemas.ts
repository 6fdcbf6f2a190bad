/** What a connector reports about its cluster, as JSON schemas. `null` always means "not known". */
import type { Static, TSchema } from 'typebox'
import { GroupId } from './group-schemas.ts'
import { Type } from './type.ts'

const count = { minimum: 0 }

const Address = Type.String({ description: 'host:port, where this connector reaches the node.' })

/** One member, as this connector sees it. Before the cluster is found: one of the hosts. */
export const MemberStatus = Type.Object(
  {
    nodeId: nullable(Type.String()),
    address: Address,
    role: Type.Enum(['voting', 'joining', 'leaving'], {
      type: 'string',
      description: '`joining` and `leaving` only while the membership changes.',
    }),
    progress: nullable(
      Type.Number({
        minimum: 0,
        maximum: 1,
        description:
          'The share of the data that a joining node has. null: it has all data, or the share is not known yet.',
      }),
    ),
    reachable: Type.Boolean({ description: 'Whether this connector has a working stream to the node.' }),
    suspect: Type.Boolean({
      description:
        'Whether requests do not wait for the node at the moment, because it is slow or not reachable.',
    }),
    latencyMs: nullable(
      Type.Object(
        { p50: Type.Number(count), p99: Type.Number(count) },
        { description: 'Of the last 256 round trips from this connector, fsync included.' },
      ),
    ),
    lag: nullable(
      Type.Integer({
        ...count,
        description: 'How many keys of the node differ from the chosen state.',
      }),
    ),
    records: nullable(Type.Integer(count)),
    tombstones: nullable(
      Type.Integer({ ...count, description: 'How many records are tombstones (deleted groups).' }),
    ),
    stubs: nullable(
      Type.Integer({ ...count, description: 'How many records are stubs (removed tombstones).' }),
    ),
    damaged: nullable(
      Type.Integer({
        ...count,
        description:
          'How many records the node knows to be damaged by its disk. They have no vote, and heal from the other nodes.',
      }),
    ),
    healed: nullable(
      Type.Integer({ ...count, description: 'How many damaged records have healed since the node started.' }),
    ),
    version: nullable(Type.String({ description: 'The version of the program that the node runs.' })),
    epoch: nullable(Type.Integer({ minimum: 1, description: 'The epoch that the node is in.' })),
    problem: nullable(Type.String({ description: 'What is wrong with the node, in a sentence.' })),
  },
  { title: 'MemberStatus', description: 'A member, as this connector sees it.' },
)
export type MemberStatus = Readonly<Static<typeof MemberStatus>>

export const BallotView = Type.Object(
  { round: Type.Integer({ minimum: 1 }), proposerId: Type.Integer(count), text: Type.String() },
  {
    title: 'Ballot',
    description: 'A `proposerId` of 0 is the fast ballot of the round. `text` is the ballot as logs show it.',
  },
)
export type BallotView = Readonly<Static<typeof BallotView>>

export const DivergenceView = Type.Object(
  {
    key: Type.String({ description: '`group/` and the id of the group.' }),
    ballot: BallotView,
    nodeIds: Type.Array(Type.String(), { description: 'The two nodes that hold different states.' }),
  },
  { title: 'Divergence', description: 'Two nodes hold different states as chosen at one ballot.' },
)

export const StandbyStatus = Type.Object(
  {
    name: Type.String({ description: 'Its application_name.' }),
    address: nullable(Type.String({ description: 'The connection of the standby to the primary.' })),
    state: Type.String({ description: 'As in pg_stat_replication: streaming, catchup, …' }),
    isSynchronous: Type.Boolean({ description: 'Whether commits may wait for it.' }),
    replayLagMs: nullable(Type.Integer({ description: 'How far it is behind the primary.' })),
  },
  { title: 'StandbyStatus', description: 'A standby, as the primary sees it.' },
)
export type StandbyStatus = Readonly<Static<typeof StandbyStatus>>

export const DatabaseStatus = Type.Object(
  {
    primary: nullable(Address),
    version: nullable(Type.String({ description: 'The version of Postgres.' })),
    timeline: nullable(Type.Integer({ minimum: 1, description: 'Each promotion begins the next one.' })),
    synchronousNames: nullable(Type.String({ description: 'The setting synchronous_standby_names.' })),
    waitsFor: nullable(Type.Integer({ ...count, description: 'For how many standbys a commit waits.' })),
    required: Type.Integer({
      ...count,
      description: 'How many standbys this connector asks for (--synchronous-standbys).',
    }),
    standbys: Type.Array(StandbyStatus),
  },
  { title: 'DatabaseStatus', description: 'The database, with the engine postgres.' },
)
export type DatabaseStatus = Readonly<Static<typeof DatabaseStatus>>

export const ClusterStatus = Type.Object(
  {
    verdict: Type.Enum(['healthy', 'degraded', 'unavailable'], {
      type: 'string',
      description:
        '`degraded`: a quorum of nodes answers, so all requests are served, but something needs attention. `unavailable`: no quorum answers.',
    }),
    reason: Type.String({ description: 'Why this is the verdict, in a sentence.' }),
    clusterId: nullable(Type.String({ description: 'null until the cluster is found.' })),
    epoch: nullable(
      Type.Integer({
        minimum: 1,
        description: 'Counts the changes of the membership; with the engine postgres, the promotions.',
      }),
    ),
    quorum: nullable(Type.Integer({ minimum: 1, description: 'How many nodes must answer.' })),
    change: nullable(Type.String({ description: 'The change of the membership that is under way.' })),
    replacement: nullable(
      Type.Object(
        {
          nodeId: Type.String({ description: 'The member that does not answer.' }),
          newNodeId: Type.String({ description: 'The empty node that will replace it.' }),
          address: Address,
          seconds: Type.Integer({
            ...count,
            description: 'How many seconds the member still has to come back with its data.',
          }),
        },
        {
          description: 'A member that an empty node at its address will replace. null: there is none.',
        },
      ),
    ),
    members: Type.Array(MemberStatus),
    notices: Type.Array(Type.String(), {
      description:
        'What needs attention although the cluster is well: certificates that expire within 30 days. Each is a sentence.',
    }),
    divergences: Type.Object(
      {
        count: Type.Integer({
          ...count,
          description: 'How many this connector has found and has not seen repaired.',
        }),
        first: Type.Array(DivergenceView, { description: 'The first 20 of them.' }),
      },
      {
        description: 'Different states that two nodes hold as chosen at one ballot. This must never happen.',
      },
    ),
    database: Type.Optional(DatabaseStatus),
  },
  {
    title: 'ClusterStatus',
    description: 'The cluster, as this connector sees it at the moment.',
  },
)
export type ClusterStatus = Readonly<Static<typeof ClusterStatus>>

/**
 * What one member holds for a group. `generation` and the fields after it are null when the member was not
 * reached, or its record is damaged.
 */
export const ReplicaView = Type.Object(
  {
    nodeId: Type.String(),
    address: Address,
    holds: Type.Enum(['group', 'tombstone', 'stub', 'absent', 'damaged', 'unreachable'], {
      type: 'string',
      description:
        '`tombstone`: the group was deleted. `stub`: the tombstone is removed, and only a promise is left. `absent`: nothing. `damaged`: the disk of the node has spoiled the record, which has no vote until it has healed. `unreachable`: the node did not answer.',
    }),
    version: nullable(Type.Integer({ minimum: 1, description: 'The version of the group.' })),
    generation: nullable(Type.Integer(count)),
    writeId: nullable(
      Type.Object({
        proposerId: Type.Integer(count),
        sequence: Type.Integer(count),
        text: Type.String(),
      }),
    ),
    ballot: nullable(BallotView),
    chosen: nullable(Type.Boolean({ description: 'Whether the node knows that the state is chosen.' })),
    promised: nullable(BallotView),
  },
  { title: 'Replica', description: 'What one member holds for the group.' },
)
export type ReplicaView = Readonly<Static<typeof ReplicaView>>

export const GroupReplicas = Type.Object(
  {
    groupId: GroupId,
    agree: Type.Boolean({
      description: 'Whether every member answered with a whole record, and all hold the same state.',
    }),
    differ: Type.Boolean({
      description:
        'Whether members that answered hold different states. If the members neither agree nor differ, some did not answer.',
    }),
    reason: Type.String({ description: 'What `agree` and `differ` mean here, in a sentence.' }),
    replicas: Type.Array(ReplicaView),
  },
  {
    title: 'GroupReplicas',
    description:
      'What each member holds for one group. Each member was asked separately, and nothing was repaired.',
  },
)
export type GroupReplicas = Readonly<Static<typeof GroupReplicas>>

function nullable<T extends TSchema>(schema: T) {
  return Type.Union([schema, Type.Null()])
}
