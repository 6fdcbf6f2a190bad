/** `cohort backup` and `cohort restore` over HTTP, against the real API with registries in memory. */
import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, createWriteStream, existsSync } from 'node:fs'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { CLUSTER_EXAMPLE } from '../../src/api/status-examples.ts'
import { backup } from '../../src/cli/backup/backup.ts'
import { type BackupSink, openBackupSink } from '../../src/cli/backup/backup-sink.ts'
import { restore } from '../../src/cli/backup/restore.ts'
import { CommandFailure } from '../../src/cli/failure.ts'
import type { Group } from '../../src/group/group.ts'
import { restoreGroup } from '../../src/group/restore-group.ts'
import { AUTHOR } from '../../src/testing/author.ts'
import { MemoryRegistry } from './memory-registry.ts'
import { testApp } from './test-app.ts'

const TIMES = { createdAt: '2026-01-01T00:00:00.000Z', updatedAt: '2026-01-02T00:00:00.000Z', ...AUTHOR }

/** More groups than a page of the backup has, and than the pages of a restore that are sent at once. */
const MANY = 1_500

const NO_STDOUT = { writeAll: () => assert.fail('nothing goes to stdout') }

type Run = Readonly<{ exitCode: number; printed: string }>

/** A connector with a registry in memory, a directory, and the two commands. Ends with the test. */
class World implements AsyncDisposable {
  readonly registry: MemoryRegistry
  readonly directory: string
  readonly url: string
  readonly #close: () => Promise<void>
  readonly abort = new AbortController()
  /** Called with everything that is printed. */
  onPrint: (printed: string) => void = () => undefined

  private constructor(registry: MemoryRegistry, directory: string, url: string, close: () => Promise<void>) {
    this.registry = registry
    this.directory = directory
    this.url = url
    this.#close = close
  }

  static async start(registry = new MemoryRegistry()): Promise<World> {
    const { app } = testApp({ engine: { registry } })
    const directory = await mkdtemp(join(tmpdir(), 'cohort-backup-'))
    const url = await app.listen({ port: 0, host: '127.0.0.1' })
    return new World(registry, directory, url, () => app.close())
  }

  get path(): string {
    return join(this.directory, 'groups.jsonl')
  }

  async fill(groups: readonly Group[]): Promise<void> {
    for (const group of groups)
      await this.registry.change(
        group.groupId,
        restoreGroup(group, { life: `life of ${group.groupId}`, author: AUTHOR }),
      )
  }

  /** The groups, without their lives: a restore draws new ones. */
  async groups(): Promise<readonly Group[]> {
    const outcome = await this.registry.scan({ after: undefined, limit: 10_000 })
    if (outcome.kind !== 'done') assert.fail(outcome.reason)
    return outcome.value.groups.map(({ life: _, ...group }) => group)
  }

  files(): Promise<string[]> {
    return readdir(this.directory)
  }

  backup({
    path = this.path,
    isForced = false,
    patienceMs = 0,
    skipUnreadable = false,
    change = (sink: BackupSink) => sink,
  } = {}): Promise<Run> {
    return this.#run(async (common) => {
      const { signal } = this.abort
      const sink = change(await openBackupSink(path, { isForced, stdout: NO_STDOUT, signal }))
      const now = () => new Date('2026-01-03T00:00:00.000Z')
      return backup({ ...common, sink, now, patienceMs, skipUnreadable })
    })
  }

  restore({ path = this.path, isResumed = false, isCheckOnly = false, patienceMs = 0 } = {}): Promise<Run> {
    return this.#run((common) => restore({ ...common, path, isResumed, isCheckOnly, patienceMs }))
  }

  /**
   * The output and the exit code of the command; for a failure, the sentence that the program would print.
   */
  async #run(
    command: (common: Pick<Parameters<typeof backup>[0], 'url' | 'output' | 'signal'>) => Promise<number>,
  ): Promise<Run> {
    let printed = ''
    const write = (text: string) => {
      printed += text
      this.onPrint(text)
    }
    const output = {
      write,
      draw: write,
      columns: 80,
      nowMs: () => performance.now(),
    }
    try {
      return { exitCode: await command({ url: this.url, output, signal: this.abort.signal }), printed }
    } catch (error) {
      if (!(error instanceof CommandFailure)) throw error
      return { exitCode: error.exitCode, printed: `${printed}${error.message}` }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#close()
    await rm(this.directory, { recursive: true })
  }
}

function someGroups(count: number): Group[] {
  return Array.from({ length: count }, (_, index) => {
    const groupId = `g${String(index).padStart(5, '0')}`
    const labels = index % 3 === 0 ? { labels: { n: String(index) } } : {}
    return {
      groupId,
      description: 'd\t🦊',
      ...labels,
      version: 1 + (index % 7),
      incarnation: `i-${index}`,
      ...TIMES,
    }
  })
}

/** Fails after this many pages of a scan and changes. */
class FailingRegistry extends MemoryRegistry {
  isFailing = false
  readonly #scans: number
  readonly #changes: number
  #scanCount = 0
  #changeCount = 0

  constructor({ scans = Number.POSITIVE_INFINITY, changes = Number.POSITIVE_INFINITY }) {
    super()
    this.#scans = scans
    this.#changes = changes
  }

  override scan(page: Parameters<MemoryRegistry['scan']>[0]) {
    this.#scanCount += 1
    if (this.isFailing && this.#scanCount > this.#scans)
      this.failWith({ kind: 'not_applied', reason: 'no quorum' })
    return super.scan(page)
  }

  override change(...args: Parameters<MemoryRegistry['change']>) {
    this.#changeCount += 1
    if (this.isFailing && this.#changeCount > this.#changes)
      this.failWith({ kind: 'unknown', reason: 'no quorum' })
    return super.change(...args)
  }
}

test('a restore brings back all groups of a backup unchanged', async () => {
  await using from = await World.start()
  await using to = await World.start()
  const groups = someGroups(MANY)
  await from.fill(groups)
  const made = await from.backup()
  assert.equal(made.exitCode, 0, made.printed)
  assert.ok(made.printed.endsWith(`1,500 groups of cluster ${CLUSTER_EXAMPLE.clusterId}\n`), made.printed)
  assert.deepEqual(await from.files(), ['groups.jsonl'])
  const restored = await to.restore({ path: from.path })
  assert.equal(restored.exitCode, 0, restored.printed)
  assert.match(restored.printed, /^restored {2}1,500 of 1,500$/m)
  assert.deepEqual(await to.groups(), groups)
})

test('an empty cluster has a backup too', async () => {
  await using world = await World.start()
  assert.equal((await world.backup()).exitCode, 0)
  assert.match((await world.restore()).printed, /^restored {2}0 of 0$/m)
})

test('an existing file is replaced only with --force', async () => {
  await using world = await World.start()
  await writeFile(world.path, 'mine')
  const refused = await world.backup()
  assert.deepEqual([refused.exitCode, refused.printed.includes('exists')], [1, true])
  assert.equal(await readFile(world.path, 'utf8'), 'mine')
  assert.deepEqual(await world.files(), ['groups.jsonl'])
  assert.equal((await world.backup({ isForced: true })).exitCode, 0)
  assert.equal((await world.restore({ isCheckOnly: true })).exitCode, 0)
})

test('the rest of a killed backup does not prevent another one', async () => {
  await using world = await World.start()
  for (const name of ['groups.jsonl.partial', 'groups.jsonl.partial-0a1b2c3d']) {
    await writeFile(join(world.directory, name), 'left')
  }
  assert.equal((await world.backup()).exitCode, 0)
  assert.deepEqual(await world.files(), [
    'groups.jsonl',
    'groups.jsonl.partial',
    'groups.jsonl.partial-0a1b2c3d',
  ])
})

test('two backups that overlap are both whole, and the last one stays', async () => {
  await using world = await World.start()
  await world.fill(someGroups(MANY))
  const first = Promise.withResolvers<void>()
  const second = Promise.withResolvers<void>()
  // The second one begins and ends while the first is in the middle.
  const slow = world.backup({
    isForced: true,
    change: (sink) => ({
      ...sink,
      write: async (bytes) => {
        await sink.write(bytes)
        first.resolve()
        await second.promise
      },
    }),
  })
  await first.promise
  assert.equal((await world.backup({ isForced: true })).exitCode, 0)
  const inode = (await stat(world.path)).ino
  second.resolve()
  assert.equal((await slow).exitCode, 0)
  assert.notEqual((await stat(world.path)).ino, inode)
  assert.deepEqual(await world.files(), ['groups.jsonl'])
  assert.match((await world.restore({ isCheckOnly: true })).printed, /is whole: 1,500 groups/)
})

test('a backup is readable by its owner alone, also where it replaces a file that others could read', async () => {
  await using world = await World.start()
  await writeFile(world.path, 'old', { mode: 0o644 })
  assert.equal((await world.backup({ isForced: true })).exitCode, 0)
  assert.equal((await stat(world.path)).mode & 0o777, 0o600)
})

test('a link is followed, whether its target is there or not, and stays a link', async () => {
  await using world = await World.start()
  const { directory } = world
  await mkdir(join(directory, 'real'))
  await mkdir(join(directory, 'links'))
  await symlink('../real', join(directory, 'links', 'directory'))
  await symlink('target.jsonl', join(directory, 'real', 'second'))
  // Through a directory that is a link, and through a second link.
  const path = join(directory, 'links', 'first')
  await symlink('directory/second', path)
  const target = join(directory, 'real', 'target.jsonl')
  assert.equal((await world.backup({ path })).exitCode, 0)
  assert.match((await world.restore({ path: target, isCheckOnly: true })).printed, /is whole/)
  const refused = await world.backup({ path })
  assert.match(refused.printed, /first exists: choose another name/)
  await writeFile(target, 'old')
  assert.equal((await world.backup({ path, isForced: true })).exitCode, 0)
  assert.match((await world.restore({ path, isCheckOnly: true })).printed, /is whole/)
  assert.deepEqual(await readdir(join(directory, 'real')), ['second', 'target.jsonl'])
  assert.ok((await lstat(path)).isSymbolicLink())
})

test('links that lead only to each other are refused', async () => {
  await using world = await World.start()
  await symlink(world.path, `${world.path}.2`)
  await symlink(`${world.path}.2`, world.path)
  const { exitCode, printed } = await world.backup({ isForced: true })
  assert.equal(exitCode, 1)
  assert.match(printed, /groups\.jsonl cannot be written \(ELOOP/)
})

test('a device is written to, and never replaced, with --force or without', async () => {
  await using world = await World.start()
  const path = join(world.directory, 'null')
  await symlink('/dev/null', path)
  for (const isForced of [false, true]) {
    const { exitCode, printed } = await world.backup({ path, isForced })
    assert.equal(exitCode, 0, printed)
    assert.match(printed, /^backup {4}\S+null, 0 groups/m)
  }
  assert.ok((await stat('/dev/null')).isCharacterDevice())
  assert.ok((await lstat(path)).isSymbolicLink())
})

test('a device that is full makes the backup fail', { skip: !existsSync('/dev/full') }, async () => {
  await using world = await World.start()
  const { exitCode, printed } = await world.backup({ path: '/dev/full', isForced: true })
  assert.equal(exitCode, 1)
  assert.match(printed, /ENOSPC.*: what was written to \/dev\/full has no end, and a restore refuses it$/)
  assert.ok((await stat('/dev/full')).isCharacterDevice())
})

test('a named pipe is written to when it has a reader, and never replaced', async () => {
  await using world = await World.start()
  await world.fill(someGroups(MANY))
  const pipe = join(world.directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  const made = world.backup({ path: pipe, isForced: true })
  const copy = join(world.directory, 'copy.jsonl')
  await pipeline(createReadStream(pipe), createWriteStream(copy))
  assert.equal((await made).exitCode, 0)
  assert.ok((await stat(pipe)).isFIFO())
  assert.match((await world.restore({ path: copy, isCheckOnly: true })).printed, /is whole: 1,500 groups/)
})

test('a named pipe whose reader goes away makes the backup fail', async () => {
  await using world = await World.start()
  await world.fill(someGroups(MANY))
  const pipe = join(world.directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  const made = world.backup({ path: pipe })
  const reader = createReadStream(pipe)
  await once(reader, 'readable')
  reader.destroy()
  const { exitCode, printed } = await made
  assert.equal(exitCode, 1)
  assert.match(printed, /EPIPE.*has no end, and a restore refuses it$/)
})

test('a backup that waits for the reader of a named pipe can be interrupted', async () => {
  await using world = await World.start()
  const pipe = join(world.directory, 'pipe')
  execFileSync('mkfifo', [pipe])
  const made = world.backup({ path: pipe })
  world.abort.abort()
  await assert.rejects(made, { name: 'AbortError' })
})

test('what is neither a file nor something to write a stream to is refused', async () => {
  await using world = await World.start()
  const socket = join(world.directory, 'socket')
  const server = createServer().listen(socket)
  await once(server, 'listening')
  const refused = await world.backup({ path: socket, isForced: true })
  server.close()
  assert.match(refused.printed, /socket is no file: name the file to write$/)
  assert.match((await world.backup({ path: world.directory })).printed, /is a directory: name the file/)
})

test('a file that was created meanwhile is not replaced', async () => {
  await using world = await World.start()
  const { scan } = world.registry
  world.registry.scan = async (page) => {
    await writeFile(world.path, 'theirs')
    return scan.call(world.registry, page)
  }
  assert.equal((await world.backup()).exitCode, 1)
  assert.equal(await readFile(world.path, 'utf8'), 'theirs')
  assert.deepEqual(await world.files(), ['groups.jsonl'])
})

test('a disk that is full half-way leaves no file, and a sentence', {
  skip: !existsSync('/dev/full'),
}, async () => {
  await using world = await World.start()
  await world.fill(someGroups(MANY))
  let writes = 0
  const { exitCode, printed } = await world.backup({
    change: (sink) => ({
      ...sink,
      write: async (bytes) => {
        writes += 1
        // The error of a full disk, from a device that is always full.
        await (writes < 3 ? sink.write(bytes) : writeFile('/dev/full', bytes))
      },
    }),
  })
  assert.equal(exitCode, 1)
  assert.match(printed, /ENOSPC: no space left on device, write: .*groups\.jsonl was not written$/)
  assert.deepEqual(await world.files(), [])
})

test('a cluster that is lost half-way leaves no file, and a sentence', async () => {
  const registry = new FailingRegistry({ scans: 1 })
  await using world = await World.start(registry)
  await world.fill(someGroups(MANY))
  registry.isFailing = true
  const { exitCode, printed } = await world.backup({ patienceMs: 300 })
  assert.equal(exitCode, 1)
  assert.match(printed, /503 unavailable.* given up after 512 groups; .*groups\.jsonl was not written$/)
  assert.deepEqual(await world.files(), [])
})

test('a backup waits for a cluster that does not answer for a moment', async () => {
  const registry = new FailingRegistry({ scans: 1 })
  await using world = await World.start(registry)
  await world.fill(someGroups(MANY))
  registry.isFailing = true
  setTimeout(() => {
    registry.isFailing = false
    registry.failWith(undefined)
  }, 300)
  assert.equal((await world.backup({ patienceMs: 10_000 })).exitCode, 0)
  assert.match((await world.restore({ isCheckOnly: true })).printed, /1,500 groups/)
})

test('an interrupted backup leaves no file', async () => {
  await using world = await World.start()
  await world.fill(someGroups(MANY))
  world.onPrint = (text) => {
    if (text.includes('backed up')) world.abort.abort()
  }
  const { exitCode, printed } = await world.backup()
  assert.equal(exitCode, 130)
  assert.match(printed, /interrupted after [\d,]+ groups; .* was not written\n$/)
  assert.deepEqual(await world.files(), [])
})

test('a damaged file, one that was cut off, and none at all are refused before anything is written', async () => {
  await using world = await World.start()
  const groups = someGroups(300)
  await world.fill(groups)
  await world.backup()
  await using to = await World.start()
  const whole = await readFile(world.path)
  const damaged = Buffer.from(whole)
  damaged[whole.length - 200]! ^= 1
  const cases: [Buffer, RegExp][] = [
    [damaged, /is refused: line \d+ is damaged: its checksum is wrong/],
    [Buffer.concat([whole, Buffer.from('x')]), /is refused: it goes on after its end, line 302/],
    [Buffer.concat([whole, Buffer.from('\n')]), /is refused: it goes on after its end, line 302/],
    [Buffer.concat([whole, whole]), /is refused: it goes on after its end, line 302/],
    // More than is read at once, and longer than any line.
    [Buffer.concat([whole, Buffer.alloc(1_000_000)]), /is refused: it goes on after its end, line 302/],
    [whole.subarray(0, whole.length - 10), /is refused: it was cut off in line 302/],
    [Buffer.from(''), /is refused: it is empty/],
    [Buffer.from('PK\x03\x04'), /is refused: it does not begin like a backup/],
  ]
  for (const [bytes, pattern] of cases) {
    await writeFile(to.path, bytes)
    const { exitCode, printed } = await to.restore()
    assert.equal(exitCode, 1)
    assert.match(printed, pattern)
    assert.match(printed, /; nothing was written$/m)
    const checked = await to.restore({ isCheckOnly: true })
    assert.equal(checked.exitCode, 1)
    assert.match(checked.printed, pattern)
  }
  const missing = await to.restore({ path: join(to.directory, 'none') })
  assert.match(missing.printed, /none cannot be read \(ENOENT/)
  assert.match((await to.restore({ path: to.directory })).printed, /is not a file/)
  assert.deepEqual(await to.groups(), [])
})

test('a cluster that is not empty is refused, and nothing is written', async () => {
  await using from = await World.start()
  await using to = await World.start()
  await from.fill(someGroups(3))
  await from.backup()
  const mine: Group = { groupId: 'mine', version: 1, incarnation: 'i', ...TIMES }
  await to.fill([mine])
  const refused = await to.restore({ path: from.path })
  assert.equal(refused.exitCode, 1)
  assert.match(refused.printed, /is not empty \(it holds "mine"\), and nothing was written/)
  const resumed = await to.restore({ path: from.path, isResumed: true })
  assert.match(resumed.printed, /holds "mine", which is not in the backup; nothing was written/)
  assert.equal(resumed.exitCode, 1)
  assert.deepEqual(await to.groups(), [mine])
})

test('a restore is not resumed over a group that has changed since', async () => {
  await using from = await World.start()
  await using to = await World.start()
  const groups = someGroups(3)
  await from.fill(groups)
  await from.backup()
  const changed = [groups[0]!, { ...groups[1]!, version: 9 }]
  await to.fill(changed)
  const { exitCode, printed } = await to.restore({ path: from.path, isResumed: true })
  assert.equal(exitCode, 1)
  assert.match(printed, /holds "g00001", which differs from the backup; nothing was written/)
  assert.deepEqual(await to.groups(), changed)
})

test('a restore that was given up half-way can be resumed, and creates nothing twice', async () => {
  await using from = await World.start()
  const registry = new FailingRegistry({ changes: 700 })
  await using to = await World.start(registry)
  const groups = someGroups(MANY)
  await from.fill(groups)
  await from.backup()
  registry.isFailing = true
  const given = await to.restore({ path: from.path })
  assert.equal(given.exitCode, 1)
  assert.match(given.printed, /given up \(504 outcome_unknown, from http.*\): repeat it with --resume$/)
  registry.isFailing = false
  registry.failWith(undefined)
  assert.equal((await to.restore({ path: from.path })).exitCode, 1)
  const resumed = await to.restore({ path: from.path, isResumed: true })
  assert.equal(resumed.exitCode, 0, resumed.printed)
  assert.match(resumed.printed, /^unchanged [\d,]+, there already/m)
  assert.deepEqual(await to.groups(), groups)
})

test('an interrupted restore says how far it came, and is resumed', async () => {
  await using from = await World.start()
  await using to = await World.start()
  const groups = someGroups(MANY)
  await from.fill(groups)
  await from.backup()
  to.onPrint = (text) => {
    if (text.includes('done')) to.abort.abort()
  }
  const { exitCode, printed } = await to.restore({ path: from.path })
  assert.equal(exitCode, 130)
  assert.match(printed, /^restored {2}[\d,]+ of 1,500\ninterrupted: repeat it with --resume\n$/m)
  const count = (await to.groups()).length
  assert.ok(count > 0 && count < MANY, String(count))
})

test('groups that another client creates during a restore are left alone, and named', async () => {
  await using from = await World.start()
  await using to = await World.start()
  await from.fill(someGroups(5))
  await from.backup()
  const { change } = to.registry
  const theirs: Group = { groupId: 'g00003', version: 1, incarnation: 'theirs', ...TIMES }
  to.registry.change = async (...args) => {
    await change.call(
      to.registry,
      theirs.groupId,
      restoreGroup(theirs, { life: 'another life', author: AUTHOR }),
    )
    return change.apply(to.registry, args)
  }
  const { exitCode, printed } = await to.restore({ path: from.path })
  assert.equal(exitCode, 1)
  assert.match(printed, /^conflicts 1, written by others meanwhile and not changed: "g00003"$/m)
  assert.deepEqual((await to.groups())[3], theirs)
})

test('a group that cannot be read ends a backup, which names it, or is left out if that was asked for', async () => {
  await using world = await World.start()
  const groups = someGroups(MANY)
  await world.fill(groups)
  for (const index of [700, 701]) world.registry.unreadable.add(groups[index]!.groupId)
  const refused = await world.backup()
  assert.equal(refused.exitCode, 1)
  assert.match(
    refused.printed,
    /what the nodes hold for 2 groups \("g00700", "g00701"\) cannot be read .*groups\.jsonl was not written/,
  )
  assert.deepEqual(await world.files(), [])

  const made = await world.backup({ skipUnreadable: true })
  assert.equal(made.exitCode, 0, made.printed)
  assert.match(made.printed, /1,498 groups of cluster .*\nleft out {2}2 groups \("g00700", "g00701"\)/)
  await using to = await World.start()
  assert.equal((await to.restore({ path: world.path })).exitCode, 0)
  assert.deepEqual(
    await to.groups(),
    groups.filter((_, index) => index !== 700 && index !== 701),
  )
})

test('a cluster that holds only a group that cannot be read is not empty', async () => {
  await using from = await World.start()
  await using to = await World.start()
  await from.fill(someGroups(3))
  await from.backup()
  await to.fill(someGroups(1))
  to.registry.unreadable.add('g00000')
  const refused = await to.restore({ path: from.path })
  assert.match(refused.printed, /is not empty \(it holds "g00000"\), and nothing was written/)
  const resumed = await to.restore({ path: from.path, isResumed: true })
  assert.match(resumed.printed, /holds "g00000", which cannot be read; nothing was written/)
})

test('members are backed up with their groups, and restored as they were into groups of another life', async () => {
  await using from = await World.start()
  await using to = await World.start()
  await from.fill(someGroups(5))
  const put = async (world: World, groupId: string, memberId: string, role?: string) => {
    const path = `${world.url}/v1/group/${groupId}/members/${memberId}`
    const headers = { 'content-type': 'application/json' }
    const reply = await fetch(path, { method: 'PUT', headers, body: JSON.stringify({ role }) })
    return reply.headers.get('etag')
  }
  const etags = new Map<string, string | null>()
  for (let index = 0; index < 40; index += 1)
    for (const groupId of ['g00001', 'g00003'])
      etags.set(`${groupId}/m${index}`, await put(from, groupId, `m${index}`, 'owner'))
  const made = await from.backup()
  assert.match(made.printed, /5 groups and 80 members of cluster/)
  const restored = await to.restore({ path: from.path })
  assert.equal(restored.exitCode, 0, restored.printed)
  assert.match(restored.printed, /is whole: 5 groups and 80 members of cluster/)
  assert.match(restored.printed, /^restored {2}5 of 5$/m)
  assert.match(restored.printed, /^restored {2}80 of 80 members$/m)
  for (const [name, etag] of etags) {
    const [groupId, memberId] = name.split('/')
    const reply = await fetch(`${to.url}/v1/group/${groupId}/members/${memberId}`)
    assert.deepEqual([reply.status, reply.headers.get('etag')], [200, etag], name)
  }
  const again = await to.restore({ path: from.path, isResumed: true })
  assert.equal(again.exitCode, 0, again.printed)
  assert.match(again.printed, /^unchanged 80, there already as in the backup$/m)
  // Whoever has changed since is left alone.
  await put(to, 'g00003', 'm1', 'guest')
  const conflict = await to.restore({ path: from.path, isResumed: true })
  assert.equal(conflict.exitCode, 1)
  assert.match(conflict.printed, /^conflicts 1, .*: "m1 of g00003"$/m)
})
