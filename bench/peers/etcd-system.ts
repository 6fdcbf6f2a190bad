import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { freePorts } from '../../test/cluster/ports.ts'
import { until } from '../../test/cluster/waiting.ts'
import type { HttpClients, HttpRequest } from './http-load.ts'
import type { HttpSystem } from './http-peer.ts'
import { storedGroup } from './peer.ts'

const base64 = (text: string) => Buffer.from(text).toString('base64')

type Status = Readonly<{ header: Readonly<{ member_id: string }>; leader: string }>

/** One member of etcd, with its JSON gateway. */
class Member {
  readonly url: string
  readonly #args: readonly string[]
  #process: ChildProcess | undefined

  constructor(url: string, args: readonly string[]) {
    this.url = url
    this.#args = args
  }

  start(): void {
    this.#process = spawn('etcd', this.#args, { stdio: 'ignore' })
  }

  signal(signal: NodeJS.Signals): void {
    this.#process?.kill(signal)
  }

  async kill(): Promise<void> {
    const child = this.#process
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  }

  /** `undefined` while it does not answer. */
  async status(): Promise<Status | undefined> {
    try {
      const signal = AbortSignal.timeout(1_000)
      const response = await fetch(`${this.url}/v3/maintenance/status`, {
        method: 'POST',
        body: '{}',
        signal,
      })
      return response.ok ? ((await response.json()) as Status) : undefined
    } catch {
      return undefined
    }
  }
}

/**
 * etcd: three members with the settings that it has by default, which sync every write. Clients ask the
 * leader, because etcd is fastest then; while the leader is lost they ask a member that is not, as a client
 * with a list of members would soon do.
 */
export class EtcdSystem implements HttpSystem {
  readonly name = 'etcd'
  readonly description = '3 members, JSON gateway of the leader'
  readonly #directory: string
  readonly #members: readonly Member[]
  #leader: Member
  #asked: Member

  private constructor(directory: string, members: readonly Member[], leader: Member) {
    this.#directory = directory
    this.#members = members
    this.#leader = leader
    this.#asked = leader
  }

  static async start(): Promise<EtcdSystem> {
    const directory = await mkdtemp(join(tmpdir(), 'etcd-'))
    const ports = await freePorts(6)
    const address = (port: number | undefined) => `http://127.0.0.1:${port}`
    const names = ['m1', 'm2', 'm3']
    const cluster = names.map((name, index) => `${name}=${address(ports[index + 3])}`).join(',')
    const members = names.map((name, index) => {
      const client = address(ports[index])
      const peer = address(ports[index + 3])
      const listen = ['--listen-client-urls', client, '--advertise-client-urls', client]
      const peers = ['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer]
      const initial = ['--initial-cluster', cluster, '--initial-cluster-state', 'new']
      const rest = ['--name', name, '--data-dir', join(directory, name), '--log-level', 'error']
      // Its alarm at 2 GB would end a long comparison.
      return new Member(client, [
        ...rest,
        ...listen,
        ...peers,
        ...initial,
        '--quota-backend-bytes',
        '8589934592',
      ])
    })
    for (const member of members) member.start()
    const system = new EtcdSystem(directory, members, members[0]!)
    try {
      await system.#untilWhole()
    } catch (cause) {
      await system.close()
      throw cause
    }
    return system
  }

  get url(): string {
    return this.#asked.url
  }

  createRequest(groupId: string): HttpRequest {
    const key = base64(`group/${groupId}`)
    const isAbsent = `{"key":"${key}","target":"CREATE","create_revision":"0","result":"EQUAL"}`
    const put = `{"request_put":{"key":"${key}","value":"${base64(storedGroup(groupId))}"}}`
    return { method: 'POST', path: '/v3/kv/txn', body: `{"compare":[${isAbsent}],"success":[${put}]}` }
  }

  readRequest(groupId: string): HttpRequest {
    return { method: 'POST', path: '/v3/kv/range', body: `{"key":"${base64(`group/${groupId}`)}"}` }
  }

  /** Reads, then writes if no other client has written since; repeats both until the write succeeds. */
  async change(clients: HttpClients, index: number): Promise<void> {
    const key = base64('group/seed-1')
    const value = base64(storedGroup(`seed-1","description":"change ${index}`))
    while (true) {
      const read = JSON.parse(await clients.expect(this.readRequest('seed-1')))
      const revision: string = read.kvs[0].mod_revision
      const isUnchanged = `{"key":"${key}","target":"MOD","mod_revision":"${revision}","result":"EQUAL"}`
      const put = `{"request_put":{"key":"${key}","value":"${value}"}}`
      const body = `{"compare":[${isUnchanged}],"success":[${put}]}`
      const written = JSON.parse(await clients.expect({ method: 'POST', path: '/v3/kv/txn', body }))
      if (written.succeeded === true) return
    }
  }

  async signalWorst(signal: NodeJS.Signals): Promise<void> {
    this.#leader.signal(signal)
  }

  stayClear(): void {
    this.#asked = this.#members.find((member) => member !== this.#leader)!
  }

  async killOther(): Promise<void> {
    const follower = this.#members.find((member) => member !== this.#leader)!
    await follower.kill()
  }

  async heal(): Promise<void> {
    for (const member of this.#members) {
      member.signal('SIGCONT')
      if ((await member.status()) !== undefined) continue
      await member.kill()
      member.start()
    }
    await this.#untilWhole()
  }

  async close(): Promise<void> {
    await Promise.all(this.#members.map((member) => member.kill()))
    await rm(this.#directory, { recursive: true, force: true })
  }

  /** Waits until all members answer and name the same leader, which clients ask from then on. */
  async #untilWhole(): Promise<void> {
    await until('etcd has a leader that all its members know', 60_000, async () => {
      const statuses = await Promise.all(this.#members.map((member) => member.status()))
      const leader = statuses[0]?.leader
      const isAgreed = leader !== undefined && statuses.every((status) => status?.leader === leader)
      const index = statuses.findIndex((status) => status?.header.member_id === leader)
      if (!isAgreed || index === -1) return false
      this.#leader = this.#members[index]!
      this.#asked = this.#leader
      return true
    })
  }
}
