declare module 'pgpass' {
  /** Calls back with the password of the first line that fits, or with `undefined`. */
  export default function pgpass(
    connection: Readonly<{ host?: string; port?: number; database?: string; user?: string }>,
    callback: (password: string | undefined) => void,
  ): void
}
