/** What was done in a history, for people. */
export interface Counts {
  versions: number;
  crashes: number;
  emergencies: number;
  rollBacks: number;
  retirements: number;
  byHand: number;
  intruders: number;
  lostAnswers: number;
  outages: number;
  lostStorage: number;
  healed: number;
  /** The longest time to heal, in ms. */
  longestHealMs: number;
  /** Versions that another writer made. */
  writtenByOthers: number;
  /** Of those, how many were told as drifted, and how many logged in and were adopted. */
  told: number;
  adopted: number;
  /** Second secrets of a login. */
  shared: number;
}

export const noCounts = (): Counts => ({
  ...{ versions: 0, crashes: 0, emergencies: 0, rollBacks: 0, retirements: 0, byHand: 0, intruders: 0 },
  ...{ lostAnswers: 0, outages: 0, lostStorage: 0, healed: 0, longestHealMs: 0 },
  ...{ writtenByOthers: 0, told: 0, adopted: 0, shared: 0 },
});
