"""One network of each family of timm, by torch's default exporter: external data, the batch of the example.

    python from_timm.py DIRECTORY [NAME...]
"""

import sys

import timm
import torch

from case import Case, Preparation, each
from torch_case import reference, settle, spread, torch_input

#: One of each module of timm, a small one; some are made thinner where that leaves the structure as it is.
NETWORKS: dict[str, dict] = {
    "beit_base_patch16_224": {"depth": 3, "embed_dim": 192, "num_heads": 3},
    "beitv2_base_patch16_224": {"depth": 3, "embed_dim": 192, "num_heads": 3},
    "botnet26t_256": {}, "halonet26t": {}, "lambda_resnet26t": {}, "eca_nfnet_l0": {}, "bat_resnext26ts": {}, "gcresnext26ts": {},
    "repvgg_a0": {}, "mobileone_s0": {}, "gernet_s": {},
    "cait_xxs24_224": {"depth": 4}, "coat_tiny": {}, "coat_lite_tiny": {}, "convit_tiny": {"depth": 12}, "convmixer_768_32": {},
    "convnext_atto": {}, "convnextv2_atto": {}, "cpubone_nano": {}, "crossvit_tiny_240": {}, "csatv2": {}, "cspdarknet53": {}, "cs3darknet_focus_s": {},
    "cspnext_tiny": {}, "davit_tiny": {}, "deepseek_vit_412m": {"depth": 2, "img_size": 224}, "deit_tiny_patch16_224": {"depth": 3},
    "deit_tiny_distilled_patch16_224": {"depth": 3}, "deit3_small_patch16_224": {"depth": 3}, "densenet121": {}, "dla34": {}, "dpn48b": {},
    "edgenext_xx_small": {}, "efficientformer_l1": {}, "efficientformerv2_s0": {}, "efficientnet_b0": {}, "tf_efficientnetv2_b0": {}, "mixnet_s": {},
    "mnasnet_100": {}, "mobilenetv2_100": {}, "mobilenetv4_conv_small": {}, "mobilenetv4_hybrid_medium": {}, "efficientvim_m1": {}, "efficientvit_b0": {},
    "efficientvit_m0": {}, "eva02_tiny_patch14_224": {"depth": 3}, "vit_medium_patch16_rope_reg1_gap_256": {"depth": 3}, "fasternet_t0": {}, "fastvit_t8": {},
    "focalnet_tiny_srf": {}, "gcvit_xxtiny": {}, "gemma4_vit_167m": {"depth": 2}, "ghostnet_100": {}, "hardcorenas_a": {}, "hgnetv2_b0": {},
    "hiera_tiny_224": {}, "sam2_hiera_tiny": {}, "hrnet_w18_small": {}, "iformer_t": {}, "inception_next_atto": {}, "inception_resnet_v2": {},
    "inception_v3": {}, "inception_v4": {}, "lcnetv2_small": {}, "levit_128s": {}, "lowformer_b0": {}, "mambaout_femto": {}, "coatnet_0_rw_224": {},
    "maxvit_rmlp_pico_rw_256": {}, "caformer_s18": {}, "convformer_s18": {}, "poolformer_s12": {}, "mixer_s32_224": {}, "gmlp_ti16_224": {},
    "resmlp_12_224": {}, "mobilenetv3_small_050": {}, "fbnetv3_b": {}, "lcnet_050": {}, "mobilenetv5_base": {}, "mobilevit_xxs": {}, "mobilevitv2_050": {},
    "mvitv2_tiny": {}, "naflexvit_base_patch16_gap": {"depth": 3}, "naflexvit_base_patch16_map": {"depth": 3}, "nasnetalarge": {}, "nest_tiny": {}, "nextvit_small": {}, "dm_nfnet_f0": {},
    "pit_ti_224": {}, "pnasnet5large": {}, "pvt_v2_b0": {}, "qwen3_vit_88m": {"depth": 3}, "rdnet_tiny": {}, "regnety_002": {}, "repghostnet_050": {},
    "repvit_m0_9": {}, "res2net50_26w_4s": {}, "resnest14d": {}, "resnet18": {}, "seresnet50": {}, "resnetv2_50x1_bit": {}, "rexnet_100": {}, "selecsls42b": {},
    "legacy_seresnet18": {}, "sequencer2d_s": {}, "shvit_s1": {}, "skresnet18": {}, "starnet_s1": {}, "swiftformer_xs": {},
    "swin_tiny_patch4_window7_224": {}, "swinv2_tiny_window8_256": {}, "swinv2_cr_tiny_ns_224": {}, "tiny_vit_5m_224": {}, "tnt_s_patch16_224": {"depth": 3},
    "tresnet_m": {}, "twins_svt_small": {}, "twins_pcpvt_small": {}, "vgg11": {}, "visformer_tiny": {}, "vit_tiny_patch16_224": {"depth": 3},
    "vit_base_patch16_siglip_224": {"depth": 3, "embed_dim": 192, "num_heads": 3}, "vit_small_patch14_reg4_dinov2": {"depth": 3, "img_size": 224},
    "vit_small_r26_s32_224": {"depth": 3}, "vit_relpos_small_patch16_224": {"depth": 3}, "samvit_base_patch16_224": {"depth": 3}, "vitamin_small_224": {},
    "volo_d1_224": {}, "ese_vovnet19b_dw": {}, "legacy_xception": {}, "xception41": {}, "xcit_nano_12_p16_224": {"depth": 3},
}  # fmt: skip


def exported(model: torch.nn.Module, x: torch.Tensor, path: str) -> None:
    """By torch's exporter, which refuses fused attention over windows (Hiera): then unfused, as TIMM_FUSED_ATTN=0 has it."""
    try:
        torch.onnx.export(model, (x,), path, verbose=False)
    except torch.onnx.OnnxExporterError:
        for module in model.modules():
            if hasattr(module, "fused_attn"):
                module.fused_attn = False
        torch.onnx.export(model, (x,), path, verbose=False)


def make(name: str, directory: str) -> None:
    torch.manual_seed(0)
    model = timm.create_model(name, pretrained=False, num_classes=10, **NETWORKS.get(name, {}))
    config = model.default_cfg
    size, least = (config.get(key, (0,))[-1] for key in ("input_size", "min_input_size"))
    side = NETWORKS.get(name, {}).get("img_size") or (size if config.get("fixed_input_size") else max(min(size, 160), least))
    case = Case(directory, "timm", name, Preparation.imagenet(side))
    x = torch_input(case)
    settle(model, x)
    heads = model.get_classifier()
    heads = heads if isinstance(heads, (tuple, list)) else (heads,)
    spread(model, x, [head for head in heads if hasattr(head, "weight")])
    target, gradient, floor = reference(model, x)
    exported(model, x, f"{directory}/model.onnx")
    case.write(target=target, gradient=gradient, floor=floor)


if __name__ == "__main__":
    root, *names = sys.argv[1:]
    each(root, names or NETWORKS, make)
