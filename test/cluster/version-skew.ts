/**
 * Connectors and nodes of two versions work together (docs/releasing.md): the last release, which is the
 * newest tag `v*` before this commit, and this tree. `npm run skew`. It needs git and npm, and installs the
 * release's own dependencies.
 */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { untilVerdict } from './cluster-status.ts'
import { leaveNothing } from './leave-nothing.ts'
import { LocalCluster, untilReady } from './local-cluster.ts'
import { type Program, type Service, THIS_PROGRAM } from './service.ts'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))

async function git(...args: readonly string[]): Promise<string> {
  return (await run('git', args, { cwd: root })).stdout.trim()
}

/**
 * The newest tag `v*` before this commit; else the one of this commit; `undefined` if there is none, or no
 * git.
 */
async function lastRelease(): Promise<string | undefined> {
  const newestFirst = ['tag', '--list', 'v*', '--sort=-v:refname']
  try {
    const [before] = (await git(...newestFirst, '--merged', 'HEAD', '--no-contains', 'HEAD')).split('\n')
    const [here] = (await git(...newestFirst, '--points-at', 'HEAD')).split('\n')
    return before || here || undefined
  } catch {
    return undefined
  }
}

/** A release in a folder of its own, with its dependencies. `await using` removes it. */
class Release {
  readonly tag: string
  readonly #directory: string

  private constructor(tag: string, directory: string) {
    this.tag = tag
    this.#directory = directory
  }

  static async checkOut(tag: string): Promise<Release> {
    const release = new Release(tag, await mkdtemp(join(tmpdir(), 'cohort-release-')))
    try {
      await git('worktree', 'add', '--detach', release.#tree, tag)
      await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: release.#tree })
      return release
    } catch (cause) {
      await release[Symbol.asyncDispose]()
      throw cause
    }
  }

  get #tree(): string {
    return join(this.#directory, 'tree')
  }

  /** Its own program on the Node that it installs, and not on that of this tree. */
  get program(): Program {
    return [join(this.#tree, 'node_modules/node/bin/node'), join(this.#tree, 'bin/cohort')]
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.#directory, { recursive: true, force: true })
    await git('worktree', 'prune')
  }
}

type Group = Readonly<{ groupId: string; description?: string; version: number }>

/** A client that knows the expected state of every group, and compares. */
class CheckingClient {
  readonly #base: string
  /** By id: the group as it was last answered, and its ETag. */
  readonly #groups = new Map<string, Readonly<{ group: Group; etag: string }>>()
  #count = 0

  constructor(connector: Service) {
    this.#base = `${connector.url}/v1/group`
  }

  async #send(method: string, path: string, body?: object, etag?: string): Promise<Response> {
    return fetch(`${this.#base}${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(etag === undefined ? {} : { 'if-match': etag }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
  }

  async #expect(status: number, response: Promise<Response>): Promise<Response> {
    const answer = await response
    if (answer.status !== status) assert.fail(`${answer.status} instead of ${status}: ${await answer.text()}`)
    return answer
  }

  async #remember(answer: Response): Promise<void> {
    const group = (await answer.json()) as Group
    this.#groups.set(group.groupId, { group, etag: answer.headers.get('etag') ?? assert.fail('no ETag') })
  }

  /** Creates, updates and deletes groups, and tries what must be refused. */
  async change(): Promise<void> {
    for (let i = 0; i < 6; i += 1) {
      const groupId = `skew-${this.#count}`
      this.#count += 1
      await this.#remember(
        await this.#expect(201, this.#send('POST', '', { groupId, labels: { n: `${i}` } })),
      )
      await this.#expect(409, this.#send('POST', '', { groupId }))
    }
    for (const [index, [groupId, { etag }]] of [...this.#groups].entries()) {
      if (index % 3 === 0) {
        const patch = { description: `changed for the time ${this.#count}` }
        await this.#remember(await this.#expect(200, this.#send('PATCH', `/${groupId}`, patch, etag)))
        await this.#expect(412, this.#send('PATCH', `/${groupId}`, { description: 'too late' }, etag))
      } else if (index % 3 === 1) {
        await this.#expect(200, this.#send('DELETE', `/${groupId}`, undefined, etag))
        this.#groups.delete(groupId)
        await this.#expect(404, this.#send('GET', `/${groupId}`))
      }
    }
  }

  /** Reads every group, and lists all of them in small pages. */
  async check(): Promise<void> {
    const listed: Group[] = []
    for (let after: string | undefined = ''; after !== undefined; ) {
      const query = `?limit=5${after === '' ? '' : `&after=${encodeURIComponent(after)}`}`
      const answer = await this.#expect(200, this.#send('GET', query))
      const page = (await answer.json()) as { groups: Group[]; after?: string }
      listed.push(...page.groups)
      after = page.after
    }
    const expected = [...this.#groups.values()].map(({ group }) => group)
    const byId = (a: Group, b: Group) => (a.groupId < b.groupId ? -1 : 1)
    assert.deepEqual(listed, expected.toSorted(byId))
    for (const { group, etag } of this.#groups.values()) {
      const answer = await this.#expect(200, this.#send('GET', `/${group.groupId}`))
      assert.equal(answer.headers.get('etag'), etag)
      assert.deepEqual(await answer.json(), group)
    }
  }
}

/**
 * The time until all nodes answer and none lags, for which an operator waits before the next step of an
 * upgrade.
 */
const HEALTHY_MS = 30_000

/** Stops a service cleanly and starts it again, by `program`. */
async function restart(cluster: LocalCluster, service: Service, program: Program): Promise<void> {
  assert.equal(
    await service.end('SIGTERM'),
    0,
    `${service.name} stops cleanly:\n${service.output.slice(-2_000)}`,
  )
  service.program = program
  service.start()
  await untilReady(cluster.connectors[0]!)
  await untilVerdict(cluster.connectors[0]!.url, 'healthy', HEALTHY_MS)
}

/**
 * Changes and reads groups, with every process restarted one after the other, and then all killed at once.
 */
async function workTogether(nodeProgram: Program, connectorProgram: Program): Promise<void> {
  await using cluster = await LocalCluster.start({ nodeProgram, connectorProgram })
  const client = new CheckingClient(cluster.connectors[0]!)
  await client.change()
  await client.check()
  for (const service of cluster.services) {
    await restart(cluster, service, service.program)
    await client.check()
    await client.change()
  }
  await Promise.all(cluster.services.map((service) => service.end('SIGKILL')))
  for (const service of cluster.services) service.start()
  await untilReady(cluster.connectors[0]!)
  await client.check()
  await client.change()
  await client.check()
}

leaveNothing()

const tag = await lastRelease()
const skip = tag === undefined && 'no release to compare with: this repository has no tag v* yet'

test('connectors and nodes of the last release and of this tree work together', { skip }, async (t) => {
  await using release = await Release.checkOut(tag!)
  await t.test(`the connector of ${tag}, the nodes of this tree`, () =>
    workTogether(THIS_PROGRAM, release.program),
  )
  await t.test(`the connector of this tree, the nodes of ${tag}`, () =>
    workTogether(release.program, THIS_PROGRAM),
  )
  await t.test(`a cluster of ${tag} is upgraded to this tree, process by process`, async () => {
    const { program } = release
    await using cluster = await LocalCluster.start({ nodeProgram: program, connectorProgram: program })
    const client = new CheckingClient(cluster.connectors[0]!)
    await client.change()
    for (const service of [...cluster.connectors, ...cluster.nodes]) {
      await restart(cluster, service, THIS_PROGRAM)
      await client.check()
      await client.change()
    }
    await client.check()
  })
})
