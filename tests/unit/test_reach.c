// SPDX-License-Identifier: GPL-3.0-or-later
/* Who reaches whom: every cell of a matrix in which each kind of network and each kind of place occurs. */
#include "tests/unit/net_world.h"

Suite *reach_suite(void);

/* Two hosts. lan is a bridge over both, nat shares the NIC of each, priv is on both. dmz is another LAN, on
 * h1's second NIC; vpn a nat there. */
enum {
    BRIDGE1,
    BRIDGE1B,
    BRIDGE2,
    NAT1,
    NAT1B,
    NAT1F,
    NAT2,
    NAT2F,
    PRIV1,
    PRIV1B,
    PRIV2,
    DMZ,
    VPN,
    VPNF,
    BARE,
    AWAY,
    PC,
    SRV,
    WEB,
    N_ENDS
};
static const char *const names[N_ENDS] = {"bridge1", "bridge1b", "bridge2", "nat1",  "nat1b", "nat1f", "nat2",
                                          "nat2f",   "priv1",    "priv1b",  "priv2", "dmz",   "vpn",   "vpnf",
                                          "bare",    "away",     "pc",      "srv",   "web"};

/* A row a sender, a column a receiver: Y yes, r no route, f no forward rule, n no NIC. */
static const char *const matrix[N_ENDS] = {
    /*            BBB NNNNN PPP D VV ba psw */
    /* bridge1  */ "YYY"
                   "ffYfY"
                   "rrr"
                   "r"
                   "rr"
                   "nn"
                   "YrY",
    /* bridge1b */
    "YYY"
    "ffYfY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* bridge2  */
    "YYY"
    "ffYfY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* nat1     */
    "YYY"
    "YYYfY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* nat1b    */
    "YYY"
    "YYYfY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* nat1f    */
    "YYY"
    "YYYfY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* nat2     */
    "YYY"
    "ffYYY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* nat2f    */
    "YYY"
    "ffYYY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* priv1    */
    "rrr"
    "rrrrr"
    "YYr"
    "r"
    "rr"
    "nn"
    "rrr",
    /* priv1b   */
    "rrr"
    "rrrrr"
    "YYr"
    "r"
    "rr"
    "nn"
    "rrr",
    /* priv2    */
    "rrr"
    "rrrrr"
    "rrY"
    "r"
    "rr"
    "nn"
    "rrr",
    /* dmz      */
    "rrr"
    "rrrrr"
    "rrr"
    "Y"
    "fY"
    "nn"
    "rYY",
    /* vpn      */
    "rrr"
    "rrrrr"
    "rrr"
    "Y"
    "YY"
    "nn"
    "rYY",
    /* vpnf     */
    "rrr"
    "rrrrr"
    "rrr"
    "Y"
    "YY"
    "nn"
    "rYY",
    /* bare     */
    "nnn"
    "nnnnn"
    "nnn"
    "n"
    "nn"
    "nn"
    "nnn",
    /* away     */
    "nnn"
    "nnnnn"
    "nnn"
    "n"
    "nn"
    "nn"
    "nnn",
    /* pc       */
    "YYY"
    "ffYfY"
    "rrr"
    "r"
    "rr"
    "nn"
    "YrY",
    /* srv      */
    "rrr"
    "rrrrr"
    "rrr"
    "Y"
    "fY"
    "nn"
    "rYY",
    /* web      */
    "YYY"
    "ffYfY"
    "rrr"
    "Y"
    "fY"
    "nn"
    "YYY",
};

static char letter(enum rec_why why)
{
    return why == REC_WHY_NONE         ? 'Y'
           : why == REC_WHY_NO_ROUTE   ? 'r'
           : why == REC_WHY_NO_FORWARD ? 'f'
           : why == REC_WHY_NO_NIC     ? 'n'
                                       : '?';
}

static struct world *two_hosts(void)
{
    static const struct sc_forward web = {80, 8080};
    struct world *w = world_new();
    uint32_t h1 = world_host(w, 1), h2 = world_host(w, 1);
    uint32_t e1 = world_nic(w, h1, 0), e1b = world_nic(w, h1, 0), e2 = world_nic(w, h2, 0);
    uint32_t dmz = world_net(w, SC_NET_BRIDGE), lan = world_net(w, SC_NET_BRIDGE),
             nat = world_net(w, SC_NET_NAT);
    uint32_t priv = world_net(w, SC_NET_HOST_ONLY), vpn = world_net(w, SC_NET_NAT);
    world_join(w, lan, e1);
    world_join(w, lan, e2);
    world_join(w, nat, e1);
    world_join(w, nat, e2);
    world_join(w, dmz, e1b);
    world_join(w, vpn, e1b);
    world_inside(w, priv, h1);
    world_inside(w, priv, h2);
    const struct {
        uint32_t host, net;
        bool forward;
    } vms[] = {{h1, lan, 0}, {h1, lan, 0}, {h2, lan, 0},     {h1, nat, 0},  {h1, nat, 0},  {h1, nat, 1},
               {h2, nat, 0}, {h2, nat, 1}, {h1, priv, 0},    {h1, priv, 0}, {h2, priv, 0}, {h1, dmz, 0},
               {h1, vpn, 0}, {h1, vpn, 1}, {h1, SC_NONE, 0}, {h2, dmz, 0}};
    for (size_t i = 0; i < sizeof vms / sizeof *vms; i++) {
        uint32_t v = world_vm(w, vms[i].host, vms[i].net);
        if (!vms[i].forward) continue;
        w->vms[v].forwards = &web;
        w->vms[v].n_forwards = 1;
    }
    world_peer(w, lan);
    world_peer(w, dmz);
    world_peer(w, SC_NONE);
    return w;
}

START_TEST(every_cell)
{
    struct world *w = two_hosts();
    for (uint32_t a = 0; a < N_ENDS; a++)
        for (uint32_t b = 0; b < N_ENDS; b++) {
            enum rec_why why = reach_why(&w->sc, a, b);
            ck_assert_msg(letter(why) == matrix[a][b], "%s to %s is %c, wanted %c", names[a], names[b],
                          letter(why), matrix[a][b]);
            ck_assert_int_eq(reach_between(&w->sc, a, b), why == REC_WHY_NONE);
        }
    world_free(w);
}
END_TEST

/* The course's own picture: three VMs on one host, a peer on the LAN, the outside. */
START_TEST(three_vms_a_peer_and_the_outside)
{
    static const int want[5][5] = {
        /* host-only */ {1, 0, 0, 0, 0},
        /* nat       */ {0, 1, 1, 1, 1},
        /* bridge    */ {0, 0, 1, 1, 1},
        /* peer      */ {0, 0, 1, 1, 1},
        /* outside   */ {0, 0, 1, 1, 1},
    };
    struct world *w = world_new();
    uint32_t h = world_host(w, 1), e = world_nic(w, h, 0), lan = world_net(w, SC_NET_BRIDGE);
    uint32_t nat = world_net(w, SC_NET_NAT), priv = world_net(w, SC_NET_HOST_ONLY);
    world_join(w, lan, e);
    world_join(w, nat, e);
    world_inside(w, priv, h);
    world_vm(w, h, priv);
    world_vm(w, h, nat);
    world_vm(w, h, lan);
    world_peer(w, lan);
    world_peer(w, SC_NONE);
    for (uint32_t a = 0; a < 5; a++)
        for (uint32_t b = 0; b < 5; b++)
            ck_assert_int_eq(reach_between(&w->sc, a, b), want[a][b]);
    world_free(w);
}
END_TEST

/* Bridges on one uplink are one LAN: whether it is a plain switch or a network of its own, and two levels
 * deep. */
START_TEST(uplinks_join_lans)
{
    struct world *w = world_new();
    uint32_t net[6], vm[6];
    for (int i = 0; i < 6; i++) {
        uint32_t h = world_host(w, 1);
        net[i] = world_net(w, SC_NET_BRIDGE);
        world_join(w, net[i], world_nic(w, h, 0));
        vm[i] = world_vm(w, h, net[i]);
    }
    w->nets[net[0]].uplink = w->nets[net[1]].uplink = "core"; /* no network: a plain switch */
    w->nets[net[2]].uplink = "net-3";                         /* 2 under 3 under 4 */
    w->nets[net[2]].up = net[3];
    w->nets[net[3]].uplink = "net-4";
    w->nets[net[3]].up = net[4];
    w->nets[net[4]].uplink = "backbone"; /* as nobody else; 5 has none */
    static const int lan[6] = {0, 0, 1, 1, 1, 2};
    for (int a = 0; a < 6; a++)
        for (int b = 0; b < 6; b++)
            ck_assert_int_eq(reach_between(&w->sc, vm[a], vm[b]), lan[a] == lan[b]);
    world_free(w);
}
END_TEST

/* Without a bridge on its NIC a nat's own name stands for the LAN there; a second nat of that NIC is on it
 * too. */
START_TEST(a_nat_alone_leads_to_its_own_lan)
{
    struct world *w = world_new();
    uint32_t h = world_host(w, 1), e = world_nic(w, h, 0), one = world_net(w, SC_NET_NAT);
    uint32_t two = world_net(w, SC_NET_NAT);
    world_join(w, one, e);
    world_join(w, two, e);
    uint32_t a = world_vm(w, h, one), b = world_vm(w, h, two), pc = world_peer(w, one);
    uint32_t end = world_peer_end(w, pc);
    ck_assert_uint_eq(reach_switch(&w->sc, a), one);
    ck_assert_uint_eq(reach_switch(&w->sc, b), one);
    ck_assert(reach_between(&w->sc, a, end) && reach_between(&w->sc, b, end));
    ck_assert_int_eq(reach_why(&w->sc, end, a), REC_WHY_NO_FORWARD);
    ck_assert_int_eq(reach_why(&w->sc, a, b), REC_WHY_NO_FORWARD);
    uint32_t lan = world_net(w, SC_NET_BRIDGE); /* now there is one, and the peer moves with the NIC */
    world_join(w, lan, e);
    ck_assert_uint_eq(reach_switch(&w->sc, a), lan);
    ck_assert_uint_eq(reach_switch(&w->sc, end), lan);
    ck_assert(reach_between(&w->sc, a, end));
    world_free(w);
}
END_TEST

Suite *reach_suite(void)
{
    Suite *s = suite_create("reach");
    TCase *t = tcase_create("reach");
    tcase_add_test(t, every_cell);
    tcase_add_test(t, three_vms_a_peer_and_the_outside);
    tcase_add_test(t, uplinks_join_lans);
    tcase_add_test(t, a_nat_alone_leads_to_its_own_lan);
    suite_add_tcase(s, t);
    return s;
}
