/** The entry of the app: each file that is imported here registers one function. */
export {};
