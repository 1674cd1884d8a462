export default {
  async fetch(request, env) {
    // Determine which customer Worker to call
    const customerName = new URL(request.url).hostname.split(".")[0];

    // Get and invoke the customer's Worker
    const userWorker = env.DISPATCHER.get(customerName);
    return userWorker.fetch(request);
  },
};
