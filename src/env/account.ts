/** A system account to run a program as, where this process may choose: that is root's to do. */
export interface Account {
  readonly name: string
  readonly uid: number
  readonly gid: number
}
